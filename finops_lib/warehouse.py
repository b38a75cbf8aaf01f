"""Runs dbt over the lake, and the typed, read-only doors to what it built."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from . import lake
from .contract import Contract, contract, contracts, ledger, literal
from .errors import FinopsError, NotBuiltError, UsageError
from .lake import Home

if TYPE_CHECKING:
    import polars as pl

TARGETS = ("duckdb", "spark")
JAVA = 17
"""The oldest Java that Spark 4 runs on."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """What one dbt build did."""

    models: int
    """Models and seeds that were built."""
    tests: int
    """Tests that passed."""
    warned: int
    failed: int
    skipped: int
    seconds: float
    messages: list[str]
    """One line per model or test that did not succeed."""
    slowest: list[tuple[str, float]]
    """The three models that took longest, with their seconds."""
    findings: list[str]
    """What the plan names and nobody has, and what it names twice: a sentence each."""

    @property
    def succeeded(self) -> int:
        return self.models + self.tests


def project() -> Path:
    """The dbt project: beside the package in a checkout, inside it when installed."""
    here = Path(__file__).resolve().parent
    inside = here / "dbt_project"
    return inside if inside.exists() else here.parent / "dbt_project"


def default_thresholds() -> list[dict[str, str]]:
    """The thresholds that hold where plan/threshold.csv names none, as shipped."""
    with (project() / "seeds" / "threshold_default.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def build(
    home: Home,
    *,
    select: Sequence[str] = (),
    target: str = "duckdb",
    full_refresh: bool = False,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Built:
    """Build and test the marts over the lake.

    Reads    the lake of `home`, of its charges only the months that changed since the last build, unless
             `full_refresh` says otherwise or the models are others than then; `select` is dbt's selection syntax.
             Connections are those of the project's own profiles.yml, or of the one in the folder that
             DBT_PROFILES_DIR names; FINOPS_LAKE says where another machine's Spark finds the lake.
    Returns  the counts of models and tests; a failed test fails the build but leaves the other marts built.
    Refuses  UsageError for an unknown target, FinopsError when dbt cannot start at all or Spark is not there.
    """
    if target not in TARGETS:
        raise UsageError(f"There is no target {target!r}. Targets: {', '.join(TARGETS)}.")
    if not home.lake.exists():
        raise NotBuiltError(f"{home.root} has no lake yet. Bring in a delivery with `finops ingest PATH`.")
    profiles = os.environ.get("DBT_PROFILES_DIR")
    if target == "duckdb":
        refresh_views(home)
    else:
        need_spark(own_session=profiles is None)
    logs = home.root / ".dbt"
    logs.mkdir(exist_ok=True)
    results = logs / ("target" if target == "duckdb" else target)
    models, built_with = _models_checksum(), logs / f"{target}.models"
    if not built_with.exists() or built_with.read_text(encoding="utf-8") != models:
        full_refresh = True
    command = [
        sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--no-use-colors", "--log-format", "json", "build",
        "--project-dir", str(project()), "--profiles-dir", profiles or str(project()), "--target", target,
        "--target-path", str(results.resolve()), "--log-path", str((logs / "logs").resolve()),
        # Debug lines are a quarter of the interpreter's work, and tens of megabytes a build.
        "--log-level-file", "info",
        # Unit tests prove the models on rows made up for them: the data of a home has nothing to add to that.
        "--exclude-resource-type", "unit_test",
        *(["--full-refresh"] if full_refresh else []),
        *(["--select", *select] if select else []),
    ]  # fmt: skip
    environment = {
        **os.environ,
        # Relative to the home: where dbt's profile changes with every home, it parses the project anew for each.
        "FINOPS_WAREHOUSE": home.warehouse.name,
        "FINOPS_LAKE": os.environ.get("FINOPS_LAKE", str(home.lake.resolve())),
        "FINOPS_SPARK_HOME": str(home.spark.resolve()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    errors: list[str] = []
    with subprocess.Popen(
        command, cwd=home.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            _follow(line, progress, errors)
    built = _summary(results / "run_results.json", errors, process.returncode)
    if not select and target == "duckdb":
        built = replace(built, findings=plan_findings(home))
    if not select and not built.failed:
        built_with.write_text(models, encoding="utf-8")
    if select and not built.succeeded + built.failed + built.warned + built.skipped:
        raise UsageError(
            f"Nothing is called {' '.join(select)}. `--select` takes dbt's selection, such as fct_daily_cost."
        )
    return built


def _models_checksum() -> str:
    """What tells the models of one version of the product from those of another: months built by others are no good."""
    found = hashlib.sha256()
    for folder in ("models", "macros", "seeds"):
        for file in sorted((project() / folder).rglob("*.*")):
            found.update(str(file.relative_to(project())).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def need_spark(*, own_session: bool = True) -> None:
    """Say by name what the target spark lacks here; a session of our own needs Java as well."""
    try:
        metadata.version("dbt-spark")
    except metadata.PackageNotFoundError:
        raise FinopsError(
            "The target spark needs dbt-spark and PySpark, which this environment does not have. Make one that does, "
            ".venv-spark, with `make spark`."
        ) from None
    if own_session:
        java = java_version()
        if java is None or java < JAVA:
            found = "no Java, neither on the PATH nor below JAVA_HOME" if java is None else f"Java {java}"
            raise FinopsError(
                f"Spark needs Java {JAVA} or later; found {found}. Debian and Ubuntu have it as the package "
                f"openjdk-{JAVA}-jre-headless."
            )


def java_version() -> int | None:
    """Major version of the Java that Spark would use, or None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(version[1]) if version else None


def _follow(line: str, progress: Callable[[str, int, int], None], errors: list[str]) -> None:
    try:
        event = json.loads(line)
    except ValueError:
        if line.strip():
            errors.append(line.strip())
        return
    data, info = event.get("data", {}), event.get("info", {})
    if info.get("level") == "error" and info.get("msg", "").strip():
        errors.append(info["msg"].strip())
    if "node_info" in data and "total" in data and "index" in data:
        progress(str(data["node_info"].get("node_name", "")), int(data["index"]), int(data["total"]))


def _summary(results: Path, errors: list[str], returncode: int) -> Built:
    if returncode not in (0, 1) or not results.exists():
        raise FinopsError(
            "dbt could not build the warehouse: " + (errors[0] if errors else f"exit code {returncode}") + "."
        )
    run: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    # What dbt runs before the models, so that Spark can read the lake, is neither a model nor a test.
    ran = [r for r in run["results"] if not r["unique_id"].startswith("operation.") or r["status"] != "success"]
    by_status: dict[str, list[dict[str, Any]]] = {}
    for result in ran:
        by_status.setdefault(result["status"], []).append(result)
    models = by_status.get("success", [])
    bad = by_status.get("error", []) + by_status.get("fail", [])
    return Built(
        models=len(models),
        tests=len(by_status.get("pass", [])),
        warned=len(by_status.get("warn", [])),
        failed=len(bad),
        skipped=len(by_status.get("skipped", [])),
        seconds=float(run["elapsed_time"]),
        messages=[f"{_name(r)}: {(r['message'] or r['status']).strip()}" for r in bad + by_status.get("warn", [])],
        slowest=[
            (_name(r), float(r["execution_time"]))
            for r in sorted(models, key=lambda r: float(r["execution_time"]), reverse=True)[:3]
        ],
        findings=[],
    )


def _name(result: dict[str, Any]) -> str:
    """Name of a model or test."""
    return str(result["unique_id"].split(".")[2])


def refresh_views(home: Home) -> None:
    """Give the warehouse one view per dataset, and one of the ledger, in schema `lake`: all that dbt staging reads."""
    with duckdb.connect(str(home.warehouse)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("create schema if not exists lake")
        for own in contracts().values():
            db.execute(f"create or replace view lake.{own.dataset} as {dataset_sql(home, own)}")
        db.execute(f"create or replace view lake.{ledger().dataset} as {ledger_sql(home)}")


def dataset_sql(home: Home, own: Contract) -> str:
    """A SELECT over one dataset of the lake, typed as its contract says, plus source and billing_month.

    Without a delivery it is a SELECT of no rows, so that a model of an unused dataset still builds.
    """
    if any((home.lake / own.dataset).glob("source=*/billing_month=*/*.parquet")):
        files = literal(str(home.lake.resolve() / own.dataset / "source=*" / "billing_month=*" / "*.parquet"))
        # Months published before the contract had a column have nothing in it.
        return (
            f"select * from read_parquet({files}, hive_partitioning = true, union_by_name = true, "
            f"hive_types = {{'source': varchar, 'billing_month': varchar}}) union all by name {own.empty()}"
        )
    columns = own.empty().removesuffix(" where false")
    return f"{columns}, cast(null as varchar) as source, cast(null as varchar) as billing_month where false"


def ledger_sql(home: Home) -> str:
    """A SELECT over the ledger: every publication and withdrawal that ever was."""
    own = ledger()
    if not any(home.ledger.glob("*.json")):
        return own.empty()
    columns = ", ".join(f"{c.name}: {literal(c.sql_type)}" for c in own.columns)
    return f"from read_json({literal(str(home.ledger.resolve() / '*.json'))}, columns = {{{columns}}})"


def mart(home: Home, name: str) -> pl.DataFrame:
    """One mart, whole.

    Returns  its rows with exact decimals, ordered by its columns from left to right.
    Refuses  NotBuiltError when the warehouse or the mart is not there, with the command that builds it.
    """
    return _query(home, f'select * from "{name}" order by all', wanted=name)


def dataset(home: Home, name: str) -> pl.DataFrame:
    """One small dataset of the lake, such as a plan table, as delivered.

    Refuses  UsageError for a dataset that does not exist.
    """
    import polars as pl

    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        frame = pl.from_arrow(db.sql(dataset_sql(home, contract(name))).to_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return frame


def data_date(home: Home) -> date:
    """The last day any provider has reported usage for: the date every figure is as of. Each source's own is in
    fct_data_freshness.

    Refuses  NotBuiltError when there are no charges.
    """
    found = mart(home, "fct_data_freshness").filter(_is_cost())["last_date"].max()
    if not isinstance(found, date):
        raise NotBuiltError(f"{home.root} holds no charges yet. Bring in a bill with `finops ingest PATH`.")
    return found


def plan_findings(home: Home) -> list[str]:
    """What the plan names and nobody has, and what it names twice: the sentences of fct_plan_finding, errors first.

    Returns  nothing where there is no such mart yet.
    """
    try:
        found = mart(home, "fct_plan_finding")
    except NotBuiltError:
        return []
    return [f"{row['severity']}: {row['message']}" for row in found.sort("severity").iter_rows(named=True)]


def missing_money(home: Home) -> list[str]:
    """What the lake lacks of its bills because rows of a delivery were rejected: a sentence for each unit.

    Source   the ledger; a delivery with rejected rows is there only where its user accepted that.
    """
    found = []
    for unit, delivery in sorted(lake.current(home).items()):
        if not delivery.rows_rejected or unit.dataset.startswith("_"):
            continue
        money = ", ".join(f"{c} {a}" for c, a in delivery.rejected_total.items())
        unreadable = delivery.rejected_unreadable
        amounts = [money] * bool(money) + [f"{unreadable} of them without a readable amount"] * bool(unreadable)
        rows = f"{delivery.rows_rejected} row{' was' if delivery.rows_rejected == 1 else 's were'} rejected"
        found.append(f"{unit}: {rows}" + (f", {' and '.join(amounts)}" if amounts else ""))
    return found


def _is_cost() -> pl.Expr:
    import polars as pl

    return pl.col("dataset") == "cost_and_usage"


def open_warehouse(home: Home) -> duckdb.DuckDBPyConnection:
    """A read-only connection to what was built, in UTC.

    Refuses  NotBuiltError when nothing was built yet.
    """
    if not home.warehouse.exists():
        raise NotBuiltError(f"{home.warehouse} does not exist yet. Build it with `finops --home {home.root} build`.")
    db = duckdb.connect(str(home.warehouse), read_only=True)
    db.execute("set timezone = 'UTC'")
    return db


def not_built(home: Home, wanted: str) -> NotBuiltError:
    """The error for a relation that the warehouse does not have."""
    return NotBuiltError(f"{home.warehouse} has no {wanted}. Build it with `finops --home {home.root} build`.")


def _query(home: Home, sql: str, *, wanted: str) -> pl.DataFrame:
    import polars as pl

    with open_warehouse(home) as db:
        try:
            frame = pl.from_arrow(db.sql(sql).to_arrow_table())
        except duckdb.CatalogException:
            raise not_built(home, wanted) from None
    assert isinstance(frame, pl.DataFrame)
    return frame
