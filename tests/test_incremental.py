"""Is what a build leaves unread still right?"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from finops_lib import warehouse
from finops_lib.ingest import ingest, withdraw
from finops_lib.lake import Home

KEPT = "this month was not read again"


@pytest.fixture
def later(company: Home, tmp_path: Path) -> Home:
    """The company, built, of which the ledger has since seen one month delivered anew and one withdrawn."""
    home = Home(tmp_path / "later")
    shutil.copytree(company.root, home.root)
    with duckdb.connect(str(home.warehouse)) as db:
        # No model asks how often usage is charged.
        db.execute("update int_charges_by_day set charge_frequency = ? where charge_category = 'Usage'", [KEPT])
    before_correction = sorted((home.inbox / "aws").rglob("BILLING_PERIOD=2026-09/*.*"))
    assert [o.status for o in ingest(home, before_correction, data_docs=False).outcomes] == ["published"]
    assert len(withdraw(home, "gcp_detailed", account="01A7F3-5C22B9-E4D810", month="2026-10")) == 1
    return home


def months(home: Home, condition: str) -> set[tuple[str, str]]:
    with duckdb.connect(str(home.warehouse), read_only=True) as db:
        return set(
            db.sql(f"select distinct lake_source, lake_month from int_charges_by_day where {condition}").fetchall()
        )


def marts(home: Home) -> dict[str, pl.DataFrame]:
    with duckdb.connect(str(home.warehouse), read_only=True) as db:
        names = [
            name for (name,) in db.sql("select table_name from duckdb_tables() where table_name like 'fct%'").fetchall()
        ]
    return {name: warehouse.mart(home, name) for name in names}


def test_only_changed_months_are_read_and_the_marts_are_those_of_a_full_refresh(later: Home) -> None:
    before = months(later, "true")
    assert warehouse.build(later, select=["resource_type:model"]).messages == []

    gone, delivered = ("gcp_detailed", "2026-10"), ("aws_cur", "2026-09")
    assert months(later, "true") == before - {gone}
    assert months(later, f"charge_frequency = '{KEPT}'") == before - {gone, delivered}

    incremental = marts(later)
    assert warehouse.build(later, select=["resource_type:model"], full_refresh=True).messages == []
    assert months(later, f"charge_frequency = '{KEPT}'") == set()
    anew = marts(later)
    assert sorted(incremental) == sorted(anew)
    for name, mart in anew.items():
        assert_frame_equal(incremental[name], mart, rel_tol=1e-9)


def test_months_built_by_other_models_are_built_anew(later: Home) -> None:
    with duckdb.connect(str(later.warehouse)) as db:
        db.execute("update published.build set models = 'those of an older version'")
    assert warehouse.build(later, select=["int_charges_by_day", "--exclude-resource-type", "test"]).messages == []
    assert months(later, f"charge_frequency = '{KEPT}'") == set()
