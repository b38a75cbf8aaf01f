"""What the Spark target promises without a cluster; `make spark` builds on one and compares every row."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import yaml

from finops_lib import warehouse
from finops_lib.contract import contract, contracts, dbt_sources
from finops_lib.errors import FinopsError
from finops_lib.lake import Home

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "spark"))

import compare  # noqa: E402

PROJECT = ROOT / "dbt_project"
MART = (
    "(values ('2026-09', 'USD', 1.000000000000000001::decimal(38, 18), 0.25::double)) t(month, currency, cost, share)"
)


def told(theirs: str) -> compare.Compared:
    """MART compared with the same relation in other words."""
    with duckdb.connect() as db:
        return compare.compared(db, "fct", ours=MART, theirs=theirs, grain=["month", "currency"])


def test_the_same_rows_do_not_differ_and_a_ratio_may_by_a_billionth() -> None:
    found = told(MART.replace("0.25", "0.2500000001"))
    assert (found.ours, found.theirs, found.differing, found.examples) == (1, 1, 0, [])


@pytest.mark.parametrize(
    ("given", "changed", "said"),
    [
        (
            "1.000000000000000001",
            "1.000000000000000002",
            "cost: DuckDB 1.000000000000000001, Spark 1.000000000000000002",
        ),
        ("0.25", "0.250001", "share: DuckDB 0.25, Spark 0.250001"),
        ("0.25", "null", "share: DuckDB 0.25, Spark None"),
    ],
)
def test_the_last_digit_of_an_amount_a_ratio_and_a_null_are_told_apart(given: str, changed: str, said: str) -> None:
    found = told(MART.replace(given, changed))
    assert found.differing == 1
    assert found.examples == [f"{said}  of {{'month': '2026-09', 'currency': 'USD'}}"]


def test_rows_and_columns_of_one_engine_alone_are_differences() -> None:
    assert told(f"(select * from {MART} where false)").differing == 1
    assert told(f"(select * from {MART} union all select * from {MART})").differing == 1
    assert told(f"(select * exclude (share) from {MART})").examples == ["columns of one engine alone: share"]


def test_every_mart_is_compared_by_the_grain_that_its_test_names(company: Home) -> None:
    manifest = json.loads((company.root / ".dbt" / "target" / "manifest.json").read_text(encoding="utf-8"))
    found = compare.grains(manifest)
    assert set(found) == {file.stem for file in PROJECT.glob("models/marts/*/*.sql")}
    assert found["fct_budget_status"] == ["budget_name", "month"]


def test_what_duckdb_spells_its_own_way_has_a_spelling_for_spark() -> None:
    macros = "\n".join(file.read_text(encoding="utf-8") for file in sorted((PROJECT / "macros").glob("*.sql")))
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)'\)", macros))
    assert {name for name in dispatched if f"macro spark__{name}(" in macros} == dispatched
    assert {"json_text", "json_entries", "read_lake"} <= dispatched


def lake_statements() -> list[str]:
    """What the macro `read_lake` has Spark do, with every run of blanks as one."""
    done: list[str] = []

    def statement(*, caller: Callable[[], str]) -> str:
        done.append(" ".join(caller().split()))
        return ""

    sources = yaml.safe_load(dbt_sources())["sources"][0]
    graph = {
        "sources": {
            table["name"]: {
                "source_name": sources["name"],
                "schema": sources["schema"],
                "identifier": table["name"],
                "columns": {column["name"]: column for column in table["columns"]},
            }
            for table in sources["tables"]
        }
    }
    macros: Any = (
        jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
        .from_string((PROJECT / "macros" / "lake.sql").read_text(encoding="utf-8"))
        .make_module({"execute": True, "graph": graph, "statement": statement, "env_var": {"FINOPS_LAKE": "/lake"}.get})
    )
    macros.spark__read_lake()
    return done


def test_spark_refuses_a_null_that_a_contract_forbids() -> None:
    constraints = [{"type": "not_null"}]
    columns = {
        "month": {"name": "month", "constraints": constraints},
        "team": {"name": "team", "constraints": []},
        "cost": {"name": "cost", "constraints": constraints},
    }
    asked: list[str] = []

    def statement(*, caller: Callable[[], str]) -> str:
        asked.append(caller())
        return ""

    text = (PROJECT / "macros" / "never_null.sql").read_text(encoding="utf-8").split("{% endtest %}")[1]
    macros: Any = (
        jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
        .from_string(text)
        .make_module({"statement": statement})
    )
    macros.spark__persist_constraints("finops.fct_cost", {"columns": columns})
    assert asked == [
        "select assert_true(count(month) = count(*), 'null in finops.fct_cost.month'), "
        "assert_true(count(cost) = count(*), 'null in finops.fct_cost.cost') from finops.fct_cost"
    ]


def test_spark_reads_every_dataset_of_the_lake_by_its_contract() -> None:
    done = lake_statements()
    tables = {m[1]: m[2] for s in done if (m := re.match(r"create table lake\.(\w+) \((.*)\) using parquet", s))}
    types = {"json": "string", "decimal": "decimal(38,18)"}
    assert tables == {
        own.dataset: "".join(f"`{c.name}` {types.get(c.type, c.type)}, " for c in own.columns)
        + "source string, billing_month string"
        for own in contracts().values()
    }
    assert done[:3] == [
        "set spark.sql.hive.manageFilesourcePartitions = false",
        "create schema if not exists lake",
        f"drop table if exists lake.{next(iter(contracts()))}",
    ]
    assert [s for s in done if s.startswith(("create table lake.owner ", "create table lake.delivery "))] == [
        "create table lake.owner (`subject_kind` string, `subject` string, `owner` string, `cost_center` string, "
        "`x_adapter` string, `x_source_file` string, `x_source_row` bigint, source string, billing_month string) "
        "using parquet partitioned by (source, billing_month) location '/lake/owner'",
        "create table lake.delivery (`dataset` string, `source` string, `billing_account` string, `month` string, "
        "`corrects` string, `delivery_id` string, `delivered_at` timestamp, `rows_published` bigint, "
        "`rows_rejected` bigint, `effective_by_day` string, `withdrawn` boolean) "
        "using json options (multiLine true, pathGlobFilter '*.json') location '/lake/_ledger'",
    ]


def test_the_lakes_types_are_the_same_on_both_engines() -> None:
    own = contract("cost_and_usage")
    with duckdb.connect() as db:
        db.execute(own.ddl("made"))
        found = {r[0]: r[1] for r in db.sql("describe made").fetchall()}
    spark = {c.name: re.search(rf"`{c.name}` ([\w(),]+),", " ".join(lake_statements()))[1] for c in own.columns}
    said = {"string": "VARCHAR", "timestamp": "TIMESTAMP WITH TIME ZONE"}
    assert {n: said.get(t, t.upper()) for n, t in spark.items()} == found


def test_without_dbt_spark_the_message_says_how_to_get_it(company: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(FinopsError) as refused:
        warehouse.build(company, target="spark")
    assert str(refused.value) == (
        "The target spark needs dbt-spark and PySpark, which this environment does not have. Make one that does, "
        ".venv-spark, with `make spark`."
    )


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, "no Java, neither on the PATH nor below JAVA_HOME"),
        ('openjdk version "11.0.2" 2019-01-15', "Java 11"),
        ('java version "1.8.0_392"', "Java 8"),
    ],
)
def test_without_a_java_new_enough_the_message_says_which_and_where_from(
    said: str | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: "1.11.0")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if said is not None:
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
    with pytest.raises(FinopsError) as refused:
        warehouse.need_spark()
    assert str(refused.value) == (
        f"Spark needs Java 17 or later; found {found}. Debian and Ubuntu have it as the package "
        "openjdk-17-jre-headless."
    )


def test_a_real_cluster_needs_no_java_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: "1.11.0")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    warehouse.need_spark(own_session=False)
