"""The official FOCUS validator over the 1.2 export of every adapter's golden lake; `make conformance` runs it.

It has a Python 3.12 environment of its own, because it needs versions that ours cannot have. Its exit code says
nothing, and some of its rules are defective, so what fails is compared with `allowed.csv`, exactly and both ways.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from finops_lib.conformance import rules
from finops_lib.export import export_focus
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import adapters
from finops_lib.lake import Home

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "data" / "samples"
ENVIRONMENT = ROOT / ".venv-conformance"
ALLOWED = Path(__file__).with_name("allowed.csv")
FIGURES = ROOT / "docs" / "conformance.md"
PACKAGES = ("focus-validator==2.2.1", "pyarrow<22")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the validator says of one export."""

    rows: int
    passed: int
    skipped: int
    failed: Mapping[str, str]
    """Rules that fail for themselves, with the validator's message."""
    following: int
    """Rules that fail only because one they are made of, or depend on, does."""


def python_3_12() -> str | None:
    """A Python 3.12 of this machine, where there is one."""
    environment = dict(os.environ)
    if shutil.which("pyenv"):
        # Its python3.12 answers only while one of its own 3.12 is chosen.
        installed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False)
        chosen = [v for v in installed.stdout.split() if v.startswith("3.12")]
        environment |= {"PYENV_VERSION": chosen[-1]} if chosen else {}
    if not shutil.which("python3.12"):
        return None
    asked = ["python3.12", "-c", "import sys; print(sys.executable)"]
    found = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def prepared(python: str) -> Path:
    """The validator's package folder in its environment, made where it is not there."""
    if not (ENVIRONMENT / "bin" / "focus-validator").exists():
        print("conformance: installing the official validator into its own environment", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)
    [package] = (ENVIRONMENT / "lib").glob("python3.12/site-packages/focus_validator")
    return package


def model(package: Path) -> dict[str, Any]:
    """The validator's own rules, by id."""
    [file] = (package / "rules").glob("model-1.2*.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["ModelRules"]
    return found


def supported(official: Mapping[str, Any], columns: set[str]) -> list[str]:
    """What the source of an export supports, as the validator asks it: all of which the export has a column to show."""
    asked = [(r["ApplicabilityCriteria"], r["Reference"]) for r in official.values() if r["Function"] == "Presence"]
    found = []
    for criterion in sorted({c for criteria, _ in asked for c in criteria}):
        alone = {column for criteria, column in asked if criteria == [criterion]}
        among = {column for criteria, column in asked if criterion in criteria}
        if (alone or among) & columns:
            found.append(criterion)
    return found


def validated(package: Path, export: Path) -> Verdict:
    """Run the validator over one export."""
    with tempfile.TemporaryDirectory() as folder:
        # It opens a list of currencies relative to where it runs.
        (Path(folder) / "focus_validator").symlink_to(package)
        official, table = model(package), pq.read_metadata(export)
        done = subprocess.run(command(package, export), cwd=folder, capture_output=True, text=True, check=False)
    columns = set(table.schema.to_arrow_schema().names)
    total = re.search(r"Total: (\d+) \| Pass: (\d+) \| Fail: (\d+) \| Skipped: (\d+)", done.stdout)
    if total is None:
        sys.exit(
            f"conformance: the validator gave no result for {export.name}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    failing = dict(
        re.findall(r"(\S+): FAIL\s+\(violations=\d+, msg=(.*?)(?:, [0-9.]+m?s)?\)$", done.stdout, flags=re.MULTILINE)
    )
    if len(failing) != int(total[3]):
        sys.exit(f"conformance: {total[3]} rules fail for {export.name}, and {len(failing)} of them are named.")
    own = {rule: message for rule, message in failing.items() if not follows(official[rule], message, columns)}
    return Verdict(
        rows=table.num_rows,
        passed=int(total[2]),
        skipped=int(total[4]),
        failed=own,
        following=len(failing) - len(own),
    )


def command(package: Path, export: Path) -> list[str]:
    """The validator's command line for an export; it wants to run where `focus_validator` is its package folder."""
    criteria = supported(model(package), set(pq.read_schema(export).names))
    return [
        str(ENVIRONMENT / "bin" / "focus-validator"), "--data-file", str(export), "--validate-version", "1.2",
        "--focus-dataset", "CostAndUsage", "--applicability-criteria", ",".join(criteria), "--block-download",
    ]  # fmt: skip


def follows(rule: Mapping[str, Any], message: str, columns: set[str]) -> bool:
    """Whether a failure is only the consequence of another: of a part of the rule, or of a column that is not there."""
    if any(part in message for part in ("failed child rules", "all child rules failed", "required column not present")):
        return True
    reads = set(re.findall(r'"Column[AB]?Name": "(\w+)"', json.dumps(rule["ValidationCriteria"])))
    return message.startswith("Validation rule") and not reads <= columns


def golden(adapter: str, folder: Path) -> Path:
    """The FOCUS 1.2 export of an adapter's golden lake."""
    home = Home(folder / adapter)
    files = [f for f in sorted((SAMPLES / adapter).iterdir()) if f.name != "expected.csv"]
    refused = ingest(home, files, data_docs=False).refused
    if refused:
        sys.exit(f"conformance: {refused[0].message}")
    out = folder / f"{adapter}.parquet"
    export_focus(home, version="1.2", out=out)
    return out


def allowed() -> dict[str, dict[str, str]]:
    """Rules that may fail, with the reason, by adapter."""
    found: dict[str, dict[str, str]] = {}
    with ALLOWED.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            for adapter in row["adapters"].split():
                found.setdefault(adapter, {})[row["rule"]] = row["reason"]
    return found


def judged(verdicts: Mapping[str, Verdict]) -> list[str]:
    """What differs from the allow-list: failures that it lacks, and entries that no longer fail."""
    known = allowed()
    wrong = [f"{adapter}: is in {ALLOWED.name} and makes no charges" for adapter in sorted(set(known) - set(verdicts))]
    for adapter, verdict in verdicts.items():
        failed, listed = verdict.failed, known.get(adapter, {})
        wrong += [
            f"{adapter}: {rule} fails and is not allowed to: {failed[rule]}" for rule in failed if rule not in listed
        ]
        wrong += [f"{adapter}: {rule} is allowed to fail and no longer does" for rule in listed if rule not in failed]
    return wrong


def page(verdicts: Mapping[str, Verdict]) -> str:
    """The figures and the allow-list as a page of the documentation."""
    lines = [
        "# Conformance to FOCUS",
        "",
        f"`finops conformance` judges a lake by {len(rules())} rules of our own, one SQL file each, over every row and",
        "in exact decimals; the invariants that the official validator misses are among them.",
        "",
        "`make conformance` runs the official validator 2.2.1 on the FOCUS 1.2 export of every adapter's golden rows,",
        "and compares what fails with `tests/conformance/allowed.csv`, both ways: a new failure counts as much as one",
        "that is gone. *Skipped* are the rules that the validator never runs and those about what a source does not",
        "have; *following* are the rules that fail only because one they are made of, or the column they judge, is",
        "missing.",
        "",
        "| adapter | charges | rules passed | failed | following | skipped |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for adapter, v in verdicts.items():
        lines.append(f"| {adapter} | {v.rows} | {v.passed} | {len(v.failed)} | {v.following} | {v.skipped} |")
    lines += ["", "## Rules that may fail", "", "| rule | adapters | why |", "|---|---|---|"]
    with ALLOWED.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            lines.append(f"| {row['rule']} | {', '.join(row['adapters'].split())} | {row['reason']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Validate every adapter that makes charges, write the figures, and say what differs from the allow-list."""
    python = python_3_12()
    if python is None:
        print("conformance: skipped. The official validator needs Python 3.12, and there is none here.")
        return 0
    package = prepared(python)
    makes_charges = [
        a.name
        for a in adapters().values()
        if a.dataset == "cost_and_usage" and a.select and (SAMPLES / a.name).exists()
    ]
    verdicts = {}
    with tempfile.TemporaryDirectory() as folder:
        for adapter in makes_charges:
            verdicts[adapter] = validated(package, golden(adapter, Path(folder)))
            v = verdicts[adapter]
            said = f"{v.passed} rules passed, {len(v.failed)} failed, {v.following} following, {v.skipped} skipped"
            print(f"{adapter}: {v.rows} charges, {said}", flush=True)
    FIGURES.write_text(page(verdicts), encoding="utf-8")
    wrong = judged(verdicts)
    for line in wrong:
        print(line)
    outcome = "differs from" if wrong else "as"
    print(f"conformance: {outcome} {ALLOWED.relative_to(ROOT)}; figures in {FIGURES.relative_to(ROOT)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
