"""Is what is in force always whole, and does nobody have to wait for it?"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import duckdb
import pytest
from test_dbt import dbt, keep_parse

from finops_lib import lake, pipeline, warehouse
from finops_lib.errors import FinopsError, NotBuiltError
from finops_lib.ingest import ingest
from finops_lib.lake import Home, Partition

KILLS = int(os.environ.get("FINOPS_KILLS", "2"))
"""Instants at which each command is killed; fifty in all of them together are as many as anybody waits for."""


@pytest.fixture
def own(company: Home, tmp_path: Path) -> Home:
    """The company, in a home of its own, built there."""
    home = Home(tmp_path / "own")
    shutil.copytree(company.root, home.root)
    assert warehouse.build(home).messages == []
    return home


def deliver_invoice(home: Home, amount: int) -> None:
    file = home.plan / "invoice.csv"
    header, first, *others = file.read_text(encoding="utf-8").splitlines()
    names, values = header.split(","), first.split(",")
    values[names.index("amount")] = str(amount)
    file.write_text("\n".join([header, ",".join(values), *others]) + "\n", encoding="utf-8")
    assert ingest(home, [file], data_docs=False).refused == []


def invoiced(db: duckdb.DuckDBPyConnection) -> int:
    [(amount,)] = db.execute("select max(stated_amount) from fct_invoice_gap").fetchall()
    return int(amount)


def test_a_reader_keeps_its_rows_while_the_next_one_sees_what_was_published_meanwhile(own: Home) -> None:
    notebook = warehouse.open_warehouse(own)
    elsewhere = subprocess.Popen(
        [sys.executable, "-c",
         "import duckdb, sys; db = duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); input();"
         "print(db.execute('select max(stated_amount) from fct_invoice_gap').fetchall()[0][0])", str(own.warehouse)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert elsewhere.stdout is not None
    assert elsewhere.stdout.readline() == "open\n"
    before = invoiced(notebook)
    deliver_invoice(own, 987_654_321)

    built = warehouse.build(own)
    assert built.messages == []
    assert invoiced(notebook) == before
    with warehouse.open_warehouse(own) as later:
        assert invoiced(later) == 987_654_321
    assert int(float(elsewhere.communicate("\n")[0])) == before

    # Only what stands downstream of the invoices was built and tested; and again, nothing.
    assert built.results is not None
    ran = {r["unique_id"].split(".")[2] for r in json.loads(built.results.read_text(encoding="utf-8"))["results"]}
    assert "fct_invoice_gap" in ran
    assert not ran & {"int_charges_by_day", "int_charges_attributed", "fct_token_unit_cost"}
    again = warehouse.build(own)
    assert (again.models, again.tests, again.results) == (0, 0, None)
    assert again.notes == [f"nothing changed since what was built {when(own)}"]


def when(home: Home) -> str:
    built = warehouse.published(home)
    return f"on {built.built_at:%F %T} UTC (build {built.build_id})"


def test_what_fails_a_test_is_not_published_and_the_next_build_is_none_the_worse(own: Home) -> None:
    before, facts = own.warehouse.read_bytes(), warehouse.published(own)
    budgets = own.lake / Partition(dataset="budget", source="plan", billing_account="all", month="all").file
    whole = budgets.read_bytes()
    with duckdb.connect() as db:
        # As only a hand that goes past `ingest` can make it: every row twice.
        db.execute(
            f"copy (from '{budgets}' union all from '{budgets}') to '{budgets}.twice' (format parquet, "
            f"kv_metadata {{finops_delivery: '{lake.footer_id(budgets)}'}})"
        )
    os.replace(f"{budgets}.twice", budgets)

    failed = warehouse.build(own)
    assert failed.failed
    beside = own.root / ".dbt" / "next" / "warehouse.duckdb"
    assert failed.notes == [f"not published: what was built {when(own)} stays in force; what failed stands in {beside}"]
    assert own.warehouse.read_bytes() == before
    assert warehouse.published(own) == facts
    summary = pipeline.run(own)
    steps = {s["step"]: s for s in summary["steps"]}
    assert [s["status"] for s in steps.values()] == ["done", "done", "failed", "skipped", "skipped", "skipped"]
    assert steps["report"]["said"] == "the build failed: what was published before it stays, and so does its report"
    [results] = steps["build"]["artifacts"]
    assert json.loads(Path(results).read_text(encoding="utf-8"))["results"]
    assert json.loads(Path(summary["written"]).read_text(encoding="utf-8"))["steps"] == summary["steps"]

    budgets.write_bytes(whole)
    assert warehouse.build(own).messages == []
    assert not beside.exists()


def test_a_step_that_breaks_stops_no_other_and_is_named_in_the_summary(
    own: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "ingest", broken)
    summary = pipeline.run(own)
    first, *others = summary["steps"]
    assert first["status"] == "failed"
    assert first["said"] == "a fault of finops (ZeroDivisionError); please report it with ingest.log"
    assert "ZeroDivisionError" in Path(first["artifacts"][0]).read_text(encoding="utf-8")
    assert {s["step"]: s["status"] for s in others}["report"] == "done"


def test_what_cannot_be_read_as_a_warehouse_is_said_and_built_anew(own: Home) -> None:
    own.warehouse.write_bytes(b"no database")
    with pytest.raises(NotBuiltError) as refused:
        warehouse.mart(own, "fct_daily_cost")
    assert str(refused.value).startswith(f"{own.warehouse} cannot be read as a warehouse: ")
    assert str(refused.value).endswith(
        f". Delete it and build it again with `finops --home {own.root} build`; everything in it comes from the lake."
    )
    built = warehouse.build(own, select=["threshold_default", "kpis", "stg_threshold", "dim_threshold"])
    assert built.messages == []
    assert built.notes == [f"{own.warehouse} was not built by this version, and is built anew"]
    assert warehouse.mart(own, "dim_threshold").height > 0


def test_a_mart_spelt_wrongly_is_answered_with_the_nearest(company: Home) -> None:
    with pytest.raises(NotBuiltError) as refused:
        warehouse.mart(company, "fct_daly_cost")
    assert str(refused.value) == f"{company.warehouse} has no fct_daly_cost. Did you mean fct_daily_cost?"


def test_a_lake_that_its_ledger_does_not_know_is_built_anew_and_said(own: Home) -> None:
    [file, *_] = sorted((own.lake / "cost_and_usage").rglob("*.parquet"))
    stray = file.with_name("stray.parquet")
    shutil.copy(file, stray)
    built = warehouse.build(own, select=["int_charges_by_day", "--exclude-resource-type", "test"])
    assert built.notes == [
        f"1 file of the lake not as the ledger says, the first {stray.relative_to(own.lake)}: everything is built "
        "anew. `finops verify` says what to do."
    ]


OWN_PROJECT = """
name: lumenar
version: "1.0"
profile: finops
models:
  lumenar:
    +materialized: table
"""
OWN_MODEL = """
select month, team, billing_currency, sum(effective_cost) / 7 as cost_per_engineer
from {{ ref('fct_showback') }}
group by month, team, billing_currency
"""
OWN_TESTS = """
models:
  - name: cost_per_engineer
    data_tests:
      - finops.unique_grain: {arguments: {columns: [month, team, billing_currency]}}
"""


def test_own_models_are_built_and_tested_with_ours_and_may_only_use_the_marts(own: Home) -> None:
    models = own.root / "dbt" / "models"
    models.mkdir(parents=True)
    (own.root / "dbt" / "dbt_project.yml").write_text(OWN_PROJECT, encoding="utf-8")
    (models / "cost_per_engineer.sql").write_text(OWN_MODEL, encoding="utf-8")
    (models / "tests.yml").write_text(OWN_TESTS, encoding="utf-8")
    built = warehouse.build(own)
    assert (built.models, built.tests, built.messages) == (1, 1, [])
    rows = warehouse.mart(own, "cost_per_engineer").height
    assert rows > 0

    with (models / "cost_per_engineer.sql").open("a", encoding="utf-8") as file:
        file.write("having sum(effective_cost) < 0\n")
    assert warehouse.build(own).models == 1
    assert warehouse.mart(own, "cost_per_engineer").height < rows

    (models / "cost_per_engineer.sql").write_text("from {{ ref('int_costs_allocated') }}", encoding="utf-8")
    with pytest.raises(FinopsError, match="which is not allowed because the referenced node is private"):
        warehouse.build(own)


def test_plain_dbt_builds_a_fresh_file_from_the_lake_that_finops_lake_names(
    company: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_parse(tmp_path / "target")
    monkeypatch.setenv("FINOPS_LAKE", str(company.lake))
    dbt(tmp_path, tmp_path / "warehouse.duckdb", "build", "--select", "stg_invoice", "stg_delivery", "stg_function_run")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as db:
        counts = [db.sql(f"select count(*) from stg_{name}").fetchall()[0][0] for name in ("invoice", "delivery")]
    assert counts == [warehouse.dataset(company, "invoice").height, len(lake.deliveries(company))]


COMMAND = "import sys; from finops_lib import cli; sys.exit(cli.main(sys.argv[1:]))"


def facts_of(home: Home) -> tuple[object, ...]:
    """What a reader sees, after asserting that it is whole."""
    with warehouse.open_warehouse(home) as db:
        amounts = db.execute(
            "select sum(effective_cost), count(*) from fct_allocated_cost where billing_currency = 'USD'"
        )
        assert amounts.fetchall()[0] == ALL["cost"]
        invoice = invoiced(db)
    for folder in (home.reports / "2026-10",):
        listed = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        for file in listed["files"]:
            assert (folder / file["path"]).stat().st_size == file["bytes"], file["path"]
    return (invoice,)


ALL: dict[str, tuple[object, ...]] = {}


@pytest.mark.parametrize("command", ["build", "forecast", "report", "run"])
def test_killed_at_any_instant_a_command_leaves_what_was_in_force_and_no_child(own: Home, command: str) -> None:
    with warehouse.open_warehouse(own) as db:
        ALL["cost"] = db.execute(
            "select sum(effective_cost), count(*) from fct_allocated_cost where billing_currency = 'USD'"
        ).fetchall()[0]
        known = {invoiced(db)}
    chance, took = random.Random(command), 12.0
    for number in range(KILLS):
        amount = 1_000_000_000 + number
        deliver_invoice(own, amount)
        known.add(amount)
        began = monotonic()
        killed = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "--home", str(own.root), command],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        wait_for(lambda process=killed: process.poll() is not None, took * chance.random())
        if killed.poll() is None:
            killed.send_signal(signal.SIGKILL if number % 2 else signal.SIGTERM)
            killed.wait()
        else:
            took = monotonic() - began
        # Python's own tracker of shared resources ends when it sees that its process has.
        wait_for(lambda group=killed.pid: not alive(group), 10)
        assert not alive(killed.pid)
        assert facts_of(own)[0] in known
    assert warehouse.build(own).messages == []
    assert facts_of(own) == (1_000_000_000 + KILLS - 1,)


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(done: Callable[[], bool], seconds: float) -> None:
    until = monotonic() + seconds
    while monotonic() < until and not done():
        sleep(0.05)
