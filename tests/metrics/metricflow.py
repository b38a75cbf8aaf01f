"""MetricFlow itself over a built home: no currencies added, and the same figures as the marts; `make metrics` runs it.

It has an environment of its own, because it brings packages that ours need not have.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = ROOT / ".venv-metrics"
PACKAGES = ("dbt-metricflow==0.15.0", "dbt-core>=1.11.16,<1.12", "dbt-duckdb>=1.11.1,<1.12")
UNREACHABLE = ("NewConnectionError", "Temporary failure in name resolution", "No matching distribution found")
MONEY = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "unallocated_cost", "unallocated_ratio",
         "experiment_cost", "production_cost", "experiment_ratio")  # fmt: skip


def prepared() -> bool:
    """Whether MetricFlow is there; it is installed where it is not."""
    if (ENVIRONMENT / "bin" / "mf").exists():
        return True
    print("metrics: installing MetricFlow into its own environment", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *PACKAGES], capture_output=True, text=True, check=False)
    if done.returncode and not any(sign in done.stderr for sign in UNREACHABLE):
        sys.exit(f"metrics: MetricFlow could not be installed: {done.stderr}")
    return done.returncode == 0


class MetricFlow:
    """Answers of `mf query` over one warehouse."""

    def __init__(self, warehouse: Path, lake: Path, folder: Path) -> None:
        # It writes beside the project that it reads.
        self.project = folder / "dbt_project"
        shutil.copytree(ROOT / "dbt_project", self.project, ignore=shutil.ignore_patterns("target", "logs"))
        self.environment = {**os.environ, "FINOPS_WAREHOUSE": str(warehouse), "FINOPS_LAKE": str(lake),
                            "DBT_PROFILES_DIR": str(self.project)}  # fmt: skip
        self._run("dbt", "--quiet", "parse")

    def _run(self, program: str, *arguments: str) -> None:
        asked = [str(ENVIRONMENT / "bin" / program), *arguments]
        done = subprocess.run(
            asked, cwd=self.project, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"metrics: {program} {' '.join(arguments)}\n{done.stdout}{done.stderr}")

    def ask(self, *metrics: str, by: str = "") -> list[dict[str, str]]:
        """Rows of the metrics, as text; empty where there is no answer."""
        out = self.project / "answer.csv"
        grouped = ["--group-by", by] if by else []
        self._run("mf", "query", "--metrics", ",".join(metrics), *grouped, "--csv", str(out))
        with out.open(encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))


def differences(flow: MetricFlow, warehouse: Path) -> list[str]:
    """What MetricFlow says that the marts do not."""
    with duckdb.connect(str(warehouse), read_only=True) as db:
        billed = dict(
            db.execute("select billing_currency, sum(billed_cost) from fct_allocated_cost group by 1").fetchall()
        )
        [reported] = db.execute("select sum(reporting_billed_cost) from fct_reporting_currency_cost").fetchall()
    wrong = [] if len(billed) > 1 else ["the home has one currency only, and shows nothing: take the sample company"]

    [mixed] = flow.ask(*MONEY)
    print("not grouped: " + ", ".join(f"{name} {mixed[name] or 'empty'}" for name in MONEY))
    wrong += [f"{name} over {' and '.join(sorted(billed))} is {mixed[name]}" for name in MONEY if mixed[name]]

    dimension = "allocated_charge__billing_currency"
    grouped = {row[dimension]: row["billed_cost"] for row in flow.ask("billed_cost", by=dimension)}
    print("by currency: " + ", ".join(f"{currency} {cost}" for currency, cost in sorted(grouped.items())))
    wrong += [
        f"billed_cost in {currency} is {grouped.get(currency)}, in the mart {cost}"
        for currency, cost in billed.items()
        if not same(grouped.get(currency), cost)
    ]
    [converted] = flow.ask("reporting_billed_cost")
    print(f"in the reporting currency: {converted['reporting_billed_cost']}")
    if not same(converted["reporting_billed_cost"], *reported):
        wrong.append(f"reporting_billed_cost is {converted['reporting_billed_cost']}, in the mart {reported[0]}")
    return wrong


def same(answer: str | None, cost: Decimal) -> bool:
    """Whether an answer, which MetricFlow reads as a float, is the cost to a millionth."""
    return bool(answer) and abs(Decimal(str(answer)) - cost) < Decimal("0.000001") * max(abs(cost), 1)


def main(home: Path) -> int:
    """Ask MetricFlow of the warehouse of `home`, and say what differs from its marts."""
    if not prepared():
        print("metrics: skipped. The package registry cannot be reached, and MetricFlow is not installed.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        wrong = differences(
            MetricFlow(home / "warehouse.duckdb", home / "lake", Path(folder)), home / "warehouse.duckdb"
        )
    for line in wrong:
        print(line)
    print(f"metrics: {'differ from' if wrong else 'as'} the marts")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
