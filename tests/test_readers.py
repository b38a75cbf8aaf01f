"""Other tools come with an older DuckDB than ours: what we publish opens there, with the same amounts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from once import once

from finops_lib.lake import Home

REQUIREMENTS = Path(__file__).parent / "readers" / "requirements.txt"
UNREACHABLE = ("error sending request", "failed to fetch", "dns error", "could not connect", "network is unreachable")
TOTALS = (
    "select billing_currency, cast(sum(billed_cost) as varchar), cast(sum(effective_cost) as varchar) "
    "from fct_allocated_cost group by billing_currency order by billing_currency"
)
READ = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as db:
    tables = [name for name, in db.execute(
        "select table_name from information_schema.tables where table_schema = 'main' and table_name similar to "
        "'(fct|dim)_.*' order by all").fetchall()]
    counts = {table: db.execute(f'select count(*) from {table}').fetchone()[0] for table in tables}
    print(json.dumps([duckdb.__version__, db.execute(sys.argv[2]).fetchall(), counts]))
"""


def _install(folder: Path) -> None:
    asked = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "--target",
             str(folder), "--require-hashes", "--requirement", str(REQUIREMENTS)]  # fmt: skip
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode and any(sign in done.stderr.lower() for sign in UNREACHABLE):
        pytest.skip("the package registry cannot be reached: an older DuckDB could not be installed")
    assert done.returncode == 0, done.stderr


def read(file: Path, packages: Path | None = None) -> list[object]:
    """Version, totals and rows of every mart, as the DuckDB of `packages` reads them, or ours."""
    environment = {**os.environ, "PYTHONPATH": str(packages)} if packages else dict(os.environ)
    answer = subprocess.run(
        [sys.executable, "-c", READ, str(file), TOTALS], env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    found: list[object] = json.loads(answer.stdout)
    return found


def test_an_older_duckdb_reads_every_mart_with_the_same_rows_and_the_last_digit(company: Home) -> None:
    older, totals, counts = read(company.warehouse, once("older-duckdb", _install))
    ours, our_totals, our_counts = read(company.warehouse)
    assert (older, ours) == ("1.2.2", duckdb.__version__)
    assert [currency for currency, *_ in totals] == ["EUR", "USD"]
    assert totals == our_totals
    assert counts == our_counts
    assert counts["fct_allocated_cost"] > 0
