"""The dbt project: built on a lake made by hand, each number worked out by hand beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from once import once

from finops_lib.contract import contracts, dbt_sources, ledger

PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
MARTS = sorted(file.stem for file in PROJECT.glob("models/marts/*/*.sql"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def charge(day: str, cost: str, **changed: Any) -> dict[str, Any]:
    """A Usage charge in USD whose four costs are alike, unless told otherwise."""
    start = at(day)
    usual = {
        "BilledCost": Decimal(cost), "EffectiveCost": Decimal(cost),
        "ContractedCost": Decimal(cost), "ListCost": Decimal(cost),
        "BillingAccountId": "payer", "BillingCurrency": "USD",
        "BillingPeriodStart": start.replace(day=1), "BillingPeriodEnd": start.replace(day=28),
        "ChargePeriodStart": start, "ChargePeriodEnd": start + timedelta(days=1),
        "ChargeCategory": "Usage", "InvoiceIssuerName": "AWS", "ServiceProviderName": "AWS",
        "ServiceCategory": "Compute", "ServiceName": "Amazon EC2",
    }  # fmt: skip
    return {**usual, **changed}


def tokens(day: str, cost: str, project: str, kind: str, quantity: int | None, **changed: Any) -> dict[str, Any]:
    return charge(
        day,
        cost,
        **{
            "BillingAccountId": "org", "SubAccountId": project, "ServiceProviderName": "OpenAI",
            "ServiceCategory": "AI and Machine Learning", "ServiceName": "OpenAI API",
            "x_Model": "gpt-4o-mini", "x_TokenKind": kind, "x_ServiceTier": "standard",
            "ConsumedQuantity": quantity, "ConsumedUnit": quantity and "Tokens", **changed,
        },
    )  # fmt: skip


def tags(**found: str) -> str:
    return json.dumps(found)


CHARGES = [
    charge("2026-09-10", "100", EffectiveCost=Decimal(90), Tags='{"user:Team": "Search", "Env": "prod"}'),
    charge("2026-09-10", "40", ServiceName="Amazon SageMaker", Tags=tags(team="serach", env="dev")),
    charge("2026-09-10", "1.23", Tags=tags(team="fraud", use_case="screening", environment="staging")),
    charge("2026-09-11", "10.01", SubAccountId="platform", ServiceName="Amazon EKS"),
    charge("2026-10-05", "7", SubAccountId="platform", ServiceName="Amazon EKS"),
    tokens("2026-09-12", "0.45", "p-search", "input_uncached", None),  # a bill without tokens: usage counts them
    tokens("2026-09-12", "0.60", "p-fraud", "output", 1_000_000),
    tokens("2026-10-25", "8", "p-search", "output", 10_000_000),
    charge("2026-09-12", "20", BillingCurrency="EUR", ServiceProviderName="Microsoft", ServiceName="Azure OpenAI"),
    charge("2026-09-13", "5", BillingCurrency="EUR", ServiceProviderName="Microsoft", Tags=tags(usecase="Answers")),
    charge("2026-10-31", "5", ChargeCategory="Tax", ServiceName="Tax"),
    charge("2026-09-02", "12", ResourceId="arn:run-1", Tags=tags(team="vision")),
    charge("2026-09-03", "0.5", ResourceId="arn:run-1", Tags=tags(team="vision")),
    charge(
        "2026-09-04", "400", EffectiveCost=Decimal(320), ConsumedQuantity=Decimal(10), ConsumedUnit="Hours",
        SkuPriceDetails=tags(InstanceType="ml.p4d.24xlarge"), Tags=tags(team="research"),
    ),
]  # fmt: skip


def project_rule(rule_id: str, dimension: str, project: str, value: str) -> dict[str, Any]:
    return {"rule_id": rule_id, "priority": 1, "dimension": dimension, "field": "sub_account_id", "operator": "equals",
            "pattern": project, "value": value}  # fmt: skip


PLAN: dict[str, list[dict[str, Any]]] = {
    "tag_rule": [
        project_rule("search-project", "team", "P-SEARCH", "search"),
        project_rule("answers", "use_case", "p-search", "answers"),
        project_rule("fraud-project", "team", "p-fraud", "fraud"),
        project_rule("platform", "team", "platform", "ml-platform"),
        {"rule_id": "misspelt", "priority": 1, "dimension": "team", "field": "tag", "tag_key": "Team",
         "operator": "like", "pattern": "SERA%", "value": "search"},
    ],
    "shared_cost_rule": [
        {"rule_id": "pool", "pool_team": "ml-platform", "driver": "tokens", "consumer_team": team}
        for team in ("search", "fraud", "vision")
    ],
    "lifecycle_rule": [
        {"rule_id": "screening", "priority": 1, "lifecycle": "production", "field": "use_case", "operator": "equals",
         "pattern": "screening"},
        {"rule_id": "lab", "priority": 2, "lifecycle": "experiment", "field": "sub_account_id", "operator": "like",
         "pattern": "p-%"},
        {"rule_id": "live", "priority": 2, "lifecycle": "production", "field": "sub_account_id", "operator": "equals",
         "pattern": "p-search", "valid_from": date(2026, 10, 1)},
    ],
    "budget": [
        {"budget_name": "search", "month": "2026-09", "team": "search", "amount": 120, "currency": "USD"},
        {"budget_name": "search, late", "month": "2026-09", "team": "Search", "amount": 30, "currency": "USD"},
        {"budget_name": "search", "month": "2026-10", "team": "search", "amount": 10, "currency": "USD"},
        {"budget_name": "azure", "month": "2026-09", "service_name": "Azure OpenAI", "amount": 40, "currency": "EUR"},
        {"budget_name": "speech", "month": "2026-09", "team": "speech", "amount": 40, "currency": "EUR"},
    ],
    "assumption": [
        {"name": "hourly_rate", "value": Decimal(50), "currency": "USD", "owner": "cfo", "evidence": "payroll"},
        {"name": "attribution", "use_case": "answers", "value": Decimal("0.5"), "owner": "cfo", "evidence": "survey"},
        {"name": "margin", "value": Decimal(1), "owner": "cfo", "evidence": "revenue is net of goods sold"},
        {"name": "exchange_rate", "value": Decimal("1.1"), "currency": "EUR", "to_currency": "USD", "owner": "cfo",
         "evidence": "bank"},
    ],
}  # fmt: skip

USAGE = {
    "vendor": "OpenAI", "counted_by": "vendor", "account_id": "org", "operation": "completion",
    "service_tier": "standard",
    "cache_read_tokens": 0, "cache_write_5m_tokens": 0, "cache_write_1h_tokens": 0, "output_tokens": 0,
}  # fmt: skip
COMPANIONS: dict[str, list[dict[str, Any]]] = {
    "ai_usage": [
        {**USAGE, "usage_start": at("2026-09-12"), "usage_end": at("2026-09-13"), "project_id": "p-search",
         "model": "gpt-4o-mini", "requests": 900, "input_uncached_tokens": 3_000_000, "total_tokens": 3_000_000,
         "price_status": "priced", "estimated_cost": Decimal("0.36"), "estimated_cost_currency": "USD"},
        {**USAGE, "usage_start": at("2026-09-14"), "usage_end": at("2026-09-15"), "project_id": "p-search",
         "model": "gpt-next", "requests": 5, "input_uncached_tokens": 7, "total_tokens": 7, "price_status": "unpriced"},
    ],
    "training_run": [
        {"run_id": "run-1", "account_id": "payer", "status": "finished", "started_at": at("2026-09-02"),
         "team": "vision", "resource_id": "arn:run-1", "epochs": 5, "metric_name": "accuracy", "metric_value": 0.5},
        {"run_id": "run-2", "account_id": "payer", "status": "stopped", "started_at": at("2026-09-20"),
         "instance_type": "ml.p4d.24xlarge", "instance_count": 2, "billable_seconds": 5400},
        {"run_id": "run-3", "account_id": "payer", "status": "failed", "started_at": at("2026-10-01"),
         "instance_type": "ml.p4d.24xlarge", "instance_count": 2, "billable_seconds": 5400},
    ],
    "outcome": [
        {"use_case": "answers", "period_start": date(2026, 9, 1), "period_end": date(2026, 10, 1),
         "revenue": Decimal(20), "currency": "USD", "hours_saved": 2.0, "units": 100.0, "accepted_units": 59.5},
    ],
    "forecast": [
        {"forecast_id": "2026-10-25", "generated_at": at("2026-10-26"), "data_through": date(2026, 10, 25),
         "scope": "team", "scope_value": "search", "currency": "USD", "model": "prophet",
         "charge_date": date(2026, 10, day), "expected": 0.5, "low": 0.25, "high": 1.0}
        for day in range(26, 32)
    ],
    "forecast_accuracy": [
        {"forecast_id": "2026-10-25", "generated_at": at("2026-10-26"), "data_through": date(2026, 10, 25),
         "scope": "team", "scope_value": "search", "currency": "USD", "model": "prophet", "horizon_days": 30,
         "folds": 4, "wape": 0.1, "bias": -0.02, "coverage": 0.8, "skill": 0.3},
    ],
}  # fmt: skip


def delivered(dataset: str, ago: timedelta) -> dict[str, Any]:
    return {"dataset": dataset, "source": "focus", "billing_account": "payer", "month": "2026-10", "corrects": "",
            "delivery_id": f"{dataset}-1", "delivered_at": datetime.now(UTC) - ago, "rows_published": 1,
            "rows_rejected": 0}  # fmt: skip


DELIVERIES = [
    delivered("cost_and_usage", timedelta(hours=1)),
    delivered("cost_and_usage", timedelta(days=30)),
    delivered("ai_usage", timedelta(days=3)),
]


@dataclass(frozen=True)
class Warehouse:
    """A built warehouse, and what dbt said."""

    file: Path
    output: str

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.file), read_only=True) as db:
            return db.sql(sql).fetchall()

    def only(self, sql: str) -> tuple[Any, ...]:
        rows = self.ask(sql)
        assert len(rows) == 1, rows
        return rows[0]


def dbt(folder: Path, file: Path, *command: str) -> str:
    """Run dbt on a warehouse in `folder` and return what it said; nothing is written outside `folder`."""
    environment = {
        **os.environ,
        # Relative: where the profile is another than last time, dbt parses the whole project anew.
        "FINOPS_WAREHOUSE": str(file.relative_to(folder)),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--no-use-colors", *command,
         "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def keep_parse(target: Path) -> None:
    """Let dbt find in a target folder what parsing the project has come to: it takes longer than most builds."""
    parsed = once("parsed", lambda folder: dbt(folder, folder / "warehouse.duckdb", "parse") and None)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(parsed / "target" / "partial_parse.msgpack", target)


def built(folder: Path, lake: dict[str, list[dict[str, Any]]], *options: str) -> Warehouse:
    """A lake of these rows, and the warehouse dbt builds and tests on it."""
    file = folder / "warehouse.duckdb"
    with duckdb.connect(str(file)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute("create schema lake")
        for contract in (*contracts().values(), ledger()):
            db.execute(contract.ddl(f"lake.{contract.dataset}"))
            for number, row in enumerate(lake.get(contract.dataset, []), start=1):
                origin = {"x_adapter": "focus", "x_source_file": "rows.csv", "x_source_row": number}
                if contract.dataset == "delivery":
                    origin = {}
                if contract.focus_dataset:
                    origin = {
                        "x_Adapter": "focus",
                        "x_SourceFile": "rows.csv",
                        "x_SourceRow": number,
                        "x_SourcePart": 1,
                    }
                values = {**row, **origin}
                places = ", ".join("?" * len(values))
                db.execute(
                    f"insert into lake.{contract.dataset} ({', '.join(values)}) values ({places})",
                    list(values.values()),
                )
        # In a lake of files, the folder's name says so.
        db.execute("alter table lake.cost_and_usage add column source varchar")
        db.execute("alter table lake.cost_and_usage add column billing_month varchar")
        db.execute(
            "update lake.cost_and_usage set source = x_Adapter, billing_month = strftime(BillingPeriodStart, '%Y-%m')"
        )
    keep_parse(folder / "target")
    return Warehouse(file, dbt(folder, file, "build", "--exclude-resource-type", "unit_test", *options))


@pytest.fixture(scope="module")
def lumenar(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return built(
        tmp_path_factory.mktemp("lumenar"), {"cost_and_usage": CHARGES, "delivery": DELIVERIES, **PLAN, **COMPANIONS}
    )


def manifest_of(warehouse: Warehouse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((warehouse.file.parent / "target" / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_the_dbt_sources_are_those_of_the_contracts() -> None:
    assert (PROJECT / "models" / "staging" / "_lake.yml").read_text(encoding="utf-8") == dbt_sources()


def test_only_staging_reads_the_lake_and_reads_all_of_it() -> None:
    readers = {file for file in PROJECT.rglob("*.sql") if re.search(r"\bsource\(", file.read_text(encoding="utf-8"))}
    shown = {PROJECT / "models" / "staging" / f"stg_{dataset}.sql" for dataset in (*contracts(), "delivery")}
    made = {PROJECT / "models" / "staging" / f"stg_{name}.sql" for name in ("name", "rule_period")}
    assert readers == shown | made


def test_sql_outside_macros_is_what_duckdb_and_spark_both_read() -> None:
    foreign = ("::", "strftime", "date_format", "json_extract", "get_json_object", "list_filter", "list_transform",
               "group by all", "qualify ", " exclude ", "unnest(", "ilike", "timestamptz")  # fmt: skip
    found = [
        f"{file.name}: {word}"
        for folder in ("models", "tests")
        for file in sorted((PROJECT / folder).rglob("*.sql"))
        for word in foreign
        if word in file.read_text(encoding="utf-8").lower()
    ]
    assert found == []


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return built(tmp_path_factory.mktemp("empty"), {})


def test_every_unit_test_of_a_model_passes(empty: Warehouse) -> None:
    # They bring their own rows and only want to find the relations that these stand in for.
    said = dbt(empty.file.parent, empty.file, "test", "--select", "test_type:unit")
    assert "WARN=0 ERROR=0 SKIP=0" in said


def test_a_build_warns_of_nothing(lumenar: Warehouse) -> None:
    assert "WARN=0 ERROR=0 SKIP=0" in lumenar.output
    assert "eprecat" not in lumenar.output


def columns_asked_by(manifest: dict[str, Any], name: str) -> list[tuple[str, list[str]]]:
    """Which columns of which table each test of this name is asked of."""
    found = [n for n in manifest["nodes"].values() if (n.get("test_metadata") or {}).get("name") == name]
    return [
        (n["attached_node"], n["test_metadata"]["kwargs"].get("columns") or [n["column_name"]])
        for n in found
        if n["attached_node"]
    ]


def test_what_a_mart_promises_never_to_be_null_its_table_refuses_to_be(lumenar: Warehouse) -> None:
    nodes = manifest_of(lumenar)["nodes"]
    promised = [
        (mart, column)
        for mart in MARTS
        for column, said in nodes[f"model.finops.{mart}"]["columns"].items()
        if any(constraint["type"] == "not_null" for constraint in said["constraints"])
    ]
    refused = lumenar.ask(
        "select table_name, column_name from duckdb_columns() where not is_nullable and schema_name = 'main'"
    )
    assert sorted(promised) == sorted(refused)
    assert {mart for mart, _ in promised} == set(MARTS)


def test_outside_marts_one_test_of_a_table_holds_what_is_never_null(lumenar: Warehouse) -> None:
    manifest = manifest_of(lumenar)
    assert columns_asked_by(manifest, "not_null") == []
    asked = columns_asked_by(manifest, "never_null")
    tables = [table for table, _ in asked]
    assert len(tables) == len(set(tables))
    assert [table for table in tables if table.split(".")[-1] in MARTS] == []
    unknown = [(t, c) for t, columns in asked for c in columns if c not in manifest["nodes"][t]["columns"]]
    assert unknown == []
    intermediates = {file.stem for file in PROJECT.glob("models/intermediate/*/*.sql")}
    assert intermediates - {table.split(".")[-1] for table in tables} == {"int_data_date_found"}


def test_a_null_fails_by_the_name_of_its_column(lumenar: Warehouse) -> None:
    compiled = lumenar.file.parent / "target" / "compiled" / "finops" / "models" / "staging" / "_rule_periods.yml"
    [file] = compiled.glob("never_null_*.sql")
    with duckdb.connect() as db:
        db.execute("attach ':memory:' as warehouse")
        db.execute("create table warehouse.stg_rule_period as select date '2026-01-01' as rules_as_of")
        assert db.execute(file.read_text(encoding="utf-8")).fetchall() == []
        db.execute("insert into warehouse.stg_rule_period values (null), (null)")
        assert db.execute(file.read_text(encoding="utf-8")).fetchall() == [("rules_as_of", 2)]


def test_marts_carry_their_descriptions(lumenar: Warehouse) -> None:
    described = manifest_of(lumenar)["nodes"]["model.finops.fct_daily_cost"]
    assert lumenar.only("select comment from duckdb_tables() where table_name = 'fct_daily_cost'") == (
        described["description"],
    )
    found = lumenar.ask("select column_name, comment from duckdb_columns() where table_name = 'fct_daily_cost'")
    assert dict(found) == {name: column["description"] for name, column in described["columns"].items()}
    [(marts, columns)] = lumenar.ask(
        "select count(distinct table_name), count_if(comment is null) from duckdb_columns() "
        "where table_name like 'fct%' or table_name like 'dim%'"
    )
    assert (marts, columns) == (len(MARTS), 0)


def test_the_daily_cost_keeps_currencies_and_kinds_apart(lumenar: Warehouse) -> None:
    assert lumenar.ask(
        "select billing_currency, charge_category, sum(billed_cost), sum(effective_cost), sum(charge_count) "
        "from fct_daily_cost group by all order by all"
    ) == [
        ("EUR", "Usage", Decimal(25), Decimal(25), 2),
        ("USD", "Tax", Decimal(5), Decimal(5), 1),
        ("USD", "Usage", Decimal("579.79"), Decimal("489.79"), 11),
    ]


def test_every_team_gets_its_own_cost_and_its_share_of_the_pool(lumenar: Warehouse) -> None:
    # The pool of 10.01 in September is split by tokens, 3 million to 1 million; vision used none and takes no share.
    # In October only search has tokens, so the 7 are all its own.
    assert lumenar.ask(
        "select allocation, team, team_evidence, billing_currency, sum(effective_cost), sum(charge_count) "
        "from fct_allocated_cost group by all order by all"
    ) == [
        ("direct", "fraud", "rule:fraud-project", "USD", Decimal("0.6"), 1),
        ("direct", "fraud", "tag:team", "USD", Decimal("1.23"), 1),
        ("direct", "research", "tag:team", "USD", Decimal(320), 1),
        ("direct", "search", "rule:misspelt", "USD", Decimal(40), 1),
        ("direct", "search", "rule:search-project", "USD", Decimal("8.45"), 2),
        ("direct", "search", "tag:team", "USD", Decimal(90), 1),
        ("direct", "vision", "tag:team", "USD", Decimal("12.5"), 2),
        ("shared", "fraud", "shared:pool", "USD", Decimal("2.5025"), 0),
        ("shared", "search", "shared:pool", "USD", Decimal("14.5075"), 2),
        ("unallocated", "unallocated", "none", "EUR", Decimal(25), 2),
        ("unallocated", "unallocated", "none", "USD", Decimal(5), 1),
    ]
    assert lumenar.only(
        "select driver, driver_quantity, driver_ratio, origin_team, allocation_rule, billed_cost "
        "from fct_allocated_cost where team = 'fraud' and allocation = 'shared'"
    ) == ("tokens", Decimal(1_000_000), 0.25, "ml-platform", "pool", Decimal("2.5025"))


def test_dimensions_come_from_tags_whatever_their_spelling_and_from_the_vendors_model(lumenar: Warehouse) -> None:
    assert lumenar.ask(
        "select distinct use_case, model, environment from fct_allocated_cost "
        "where use_case <> 'unallocated' or model <> 'unknown' or environment <> 'unknown' order by all"
    ) == [
        ("answers", "gpt-4o-mini", "unknown"),
        ("answers", "unknown", "unknown"),
        ("screening", "unknown", "staging"),
        ("unallocated", "gpt-4o-mini", "unknown"),
        ("unallocated", "unknown", "dev"),
        ("unallocated", "unknown", "prod"),
    ]


def test_the_lifecycle_names_its_evidence_and_contradictions_stay_unknown(lumenar: Warehouse) -> None:
    # From October two rules of one priority disagree about p-search.
    assert lumenar.ask(
        "select lifecycle, evidence, billing_currency, sum(effective_cost) "
        "from fct_lifecycle_cost group by all order by all"
    ) == [
        ("experiment", "environment:dev", "USD", Decimal(40)),
        ("experiment", "rule:lab", "USD", Decimal("1.05")),
        ("experiment", "run:run-1", "USD", Decimal("12.5")),
        ("production", "environment:prod", "USD", Decimal(90)),
        ("production", "rule:screening", "USD", Decimal("1.23")),
        ("unknown", "contradiction:lab,live", "USD", Decimal(8)),
        ("unknown", "none", "EUR", Decimal(25)),
        ("unknown", "none", "USD", Decimal("342.01")),
    ]


def test_a_million_tokens_cost_what_the_bill_says(lumenar: Warehouse) -> None:
    assert lumenar.ask(
        "select month, team, use_case, token_kind, token_source, tokens, billed_cost, effective_cost_per_1m_tokens "
        "from fct_token_unit_cost order by all"
    ) == [
        ("2026-09", "fraud", "unallocated", "output", "bill", Decimal(1_000_000), Decimal("0.6"), 0.6),
        (
            "2026-09",
            "search",
            "answers",
            "input_uncached",
            "usage",
            Decimal(3_000_000),
            Decimal("0.45"),
            pytest.approx(0.15),
        ),
        ("2026-10", "search", "answers", "output", "bill", Decimal(10_000_000), Decimal(8), pytest.approx(0.8)),
    ]


def test_a_request_has_a_cost_only_where_both_sides_are_known(lumenar: Warehouse) -> None:
    assert lumenar.ask(
        "select charge_date, project_id, model, requests, tokens, effective_cost, estimated_cost, unpriced_requests, "
        "cost_per_request_billed, cost_per_request_estimated from fct_inference_unit_cost order by all"
    ) == [
        (date(2026, 9, 12), "p-fraud", "gpt-4o-mini", None, None, Decimal("0.6"), None, None, None, None),
        (date(2026, 9, 12), "p-search", "gpt-4o-mini", 900, 3_000_000, Decimal("0.45"), Decimal("0.36"), 0,
         pytest.approx(0.0005), pytest.approx(0.0004)),
        (date(2026, 9, 14), "p-search", "gpt-next", 5, 7, None, None, 5, None, None),
        (date(2026, 10, 25), "p-search", "gpt-4o-mini", None, None, Decimal(8), None, None, None, None),
    ]  # fmt: skip


def test_a_training_run_costs_its_bill_else_its_hours_else_nobody_knows(lumenar: Warehouse) -> None:
    # 5400 seconds on 2 instances are 3 hours; an hour cost 320 / 10. October has no hours to take a rate from.
    assert lumenar.ask(
        "select run_id, cost_basis, billing_currency, effective_cost, cost_per_epoch, cost_per_metric_point "
        "from fct_training_run_cost order by all"
    ) == [
        ("run-1", "bill", "USD", Decimal("12.5"), 2.5, 25.0),
        ("run-2", "rate", "USD", Decimal(96), None, None),
        ("run-3", "unpriced", None, None, None, None),
    ]


def test_a_budget_is_held_against_its_own_month_and_currency(lumenar: Warehouse) -> None:
    # search: 90 + 40 + 0.45 + a share of 7.5075 in September; 8 + 7 in October, and six days of 0.5 to come.
    assert lumenar.ask(
        "select budget_name, month, actual_cost, forecast_cost, expected_cost, expected_low, expected_high, "
        "consumed_ratio, status, data_through from fct_budget_status order by all"
    ) == [
        ("azure", "2026-09", Decimal(20), None, Decimal(20), Decimal(20), Decimal(20), 0.5, "within",
         date(2026, 10, 25)),
        ("search", "2026-09", Decimal("110.366"), None, Decimal("110.366"), Decimal("110.366"), Decimal("110.366"),
         pytest.approx(137.9575 / 150), "within", date(2026, 10, 25)),
        ("search", "2026-10", Decimal(15), Decimal(3), Decimal(18), Decimal("16.5"), Decimal(21), 1.5, "over",
         date(2026, 10, 25)),
        ("search, late", "2026-09", Decimal("27.5915"), None, Decimal("27.5915"), Decimal("27.5915"),
         Decimal("27.5915"), pytest.approx(137.9575 / 150), "within", date(2026, 10, 25)),
        ("speech", "2026-09", Decimal(0), None, Decimal(0), Decimal(0), Decimal(0), 0.0, "no spend",
         date(2026, 10, 25)),
    ]  # fmt: skip


def test_two_budgets_of_a_team_however_spelt_are_one_sum_that_its_cost_is_held_against_once(lumenar: Warehouse) -> None:
    assert lumenar.ask(
        "select scope, billing_currency, budgets, budget_amount, actual_cost, variance, status "
        "from fct_budget_scope where month = '2026-09' order by all"
    ) == [
        ("service Azure OpenAI", "EUR", 1, Decimal(40), Decimal(20), Decimal(-20), "within"),
        ("team search", "USD", 2, Decimal(150), Decimal("137.9575"), Decimal("-12.0425"), "within"),
        ("team speech", "EUR", 1, Decimal(40), Decimal(0), Decimal(-40), "no spend"),
    ]
    assert lumenar.ask(
        "select distinct team, billing_currency, numerator, denominator from fct_kpi "
        "where kpi = 'budget_variance' and month = '2026-09' and value is not null order by all"
    ) == [
        ("search", "USD", Decimal("-12.0425"), Decimal(150)),
        ("speech", "EUR", Decimal(-40), Decimal(40)),
    ]
    assert lumenar.ask(
        "select billing_currency, binds, budgets, budget_amount, actual_cost, month_cost, coverage "
        "from fct_company_budget where month = '2026-09' order by all"
    ) == [
        ("EUR", "teams", 1, Decimal(40), Decimal(0), Decimal(25), 0.0),
        ("USD", "teams", 2, Decimal(150), Decimal("137.9575"), Decimal("474.79"), pytest.approx(137.9575 / 474.79)),
    ]


SHARE = Decimal("0.025897853583748565")


def test_a_use_case_is_worth_its_benefit_over_its_cost_in_one_currency(lumenar: Warehouse) -> None:
    # Cost: 0.45 USD and 5 EUR at 1.1, and its part of its team's share of the pool. Benefit: half of 20 of revenue and
    # 2 hours at 50.
    assert lumenar.only(
        "select use_case, month, currency, effective_cost, unconverted_cost_charges, benefit, margin, "
        "roi, cost_per_accepted_unit from fct_use_case_value where is_measured"
    ) == (
        "answers", "2026-09", "USD", Decimal("5.95") + SHARE, 0, Decimal(60), Decimal("54.05") - SHARE,
        pytest.approx(float((Decimal("54.05") - SHARE) / (Decimal("5.95") + SHARE))),
        pytest.approx(float(Decimal("5.95") + SHARE) / 59.5),
    )  # fmt: skip


def test_the_latest_forecast_and_its_accuracy_are_shown(lumenar: Warehouse) -> None:
    assert lumenar.only("select count(*), sum(expected), count(actual_cost) from fct_forecast") == (6, 3.0, 0)
    assert lumenar.only("select scope_value, horizon_days, wape, skill from fct_forecast_accuracy") == (
        "search",
        30,
        0.1,
        0.3,
    )


def test_the_data_is_as_fresh_as_its_last_usage_and_not_its_last_tax(lumenar: Warehouse) -> None:
    assert lumenar.ask(
        "select source, service_provider_name, billing_account_id, first_date, last_date, row_count, status "
        "from fct_data_freshness where dataset = 'cost_and_usage' order by all"
    ) == [
        ("focus", "AWS", "payer", date(2026, 9, 2), date(2026, 10, 5), 9, "current"),  # it is used once in some weeks
        ("focus", "Microsoft", "payer", date(2026, 9, 12), date(2026, 9, 13), 2, "stopped"),
        ("focus", "OpenAI", "org", date(2026, 9, 12), date(2026, 10, 25), 3, "current"),
    ]
    assert lumenar.only(
        "select first_date, last_date, row_count from fct_data_freshness where dataset = 'tag_rule'"
    ) == (
        None,
        None,
        5,
    )


def test_a_dataset_is_late_when_nothing_came_for_longer_than_its_contract_allows(lumenar: Warehouse) -> None:
    folder = lumenar.file.parent
    dbt(folder, lumenar.file, "source", "freshness")
    results = json.loads((folder / "target" / "sources.json").read_text(encoding="utf-8"))["results"]
    # What nobody has ever delivered is not late.
    assert {r["unique_id"].split(".")[-1]: r["status"] for r in results} == {
        c.dataset: "warn" if c.dataset == "ai_usage" else "pass" for c in contracts().values() if c.late_after_days
    }


METRICS = {
    "billed_cost": "584.79", "effective_cost": "494.79", "contracted_cost": "584.79", "list_cost": "584.79",
    "charges": 12, "unallocated_cost": 5, "unregistered_cost": 0, "unallocated_ratio": 5 / 494.79,
    "experiment_cost": "53.55", "production_cost": "91.23", "unknown_lifecycle_cost": "350.01",
    "experiment_ratio": 53.55 / 91.23,
    "tokens": 14_000_000, "counted_token_cost": "9.05", "cost_per_million_tokens": 9.05 / 14,
    "requests": 900, "billed_requests": 900, "counted_request_cost": "0.45", "cost_per_request": 0.0005,
    "training_cost": "108.5", "training_runs": 2, "priced_training_runs": 2, "cost_per_training_run": 54.25,
    "benefit": 60, "valued_cost": Decimal("5.95") + SHARE, "costed_benefit": 60,
    "return_on_investment": (Decimal("54.05") - SHARE) / (Decimal("5.95") + SHARE),
    "accepted_units": 59.5, "accepted_unit_cost": Decimal("5.95") + SHARE,
    "cost_per_accepted_unit": (Decimal("5.95") + SHARE) / Decimal("59.5"),
}  # fmt: skip
"""Every metric by its name, which stays, and what it is in USD."""


REPORTING = ["reporting_billed_cost", "reporting_effective_cost", "unconverted_costs"]
"""Those in the reporting currency, whose model has a currency of its own."""


def metric(warehouse: Warehouse, name: str, *, currency: str | None = "USD") -> Any:
    """A metric as the metric layer defines it, of what is in one currency, or of everything."""
    manifest = manifest_of(warehouse)
    defined = manifest["metrics"][f"metric.finops.{name}"]
    params = defined["type_params"]
    if defined["type"] == "simple":
        [(model, measure)] = [
            (m, found)
            for m in manifest["semantic_models"].values()
            for found in m["measures"]
            if found["name"] == params["measure"]["name"]
        ]
        column = next(d["name"] for d in model["dimensions"] if d["name"].endswith("currency"))
        aggregate = {"count_distinct": "count(distinct {})"}.get(measure["agg"], measure["agg"] + "({})")
        return warehouse.only(
            f"select {aggregate.format(measure['expr'])} from {model['node_relation']['alias']}"
            + (f" where {column} = '{currency}'" if currency else "")
        )[0]
    if defined["type"] == "ratio":
        above, below = (
            metric(warehouse, params[part]["name"], currency=currency) for part in ("numerator", "denominator")
        )
        return None if above is None or below is None else float(above) / float(below)
    inputs = {m["name"]: metric(warehouse, m["name"], currency=currency) for m in params["metrics"]}
    parts = ", ".join(f"{'null' if value is None else float(value)} as {m}" for m, value in inputs.items())
    return warehouse.only(f"select {params['expr']} from (select {parts})")[0]


def is_input(name: str) -> bool:
    """Whether a metric is there only for others to be made of."""
    return name.startswith("mixed_") or name.endswith("_currencies")


def test_the_metric_layer_keeps_its_names(lumenar: Warehouse) -> None:
    names = {m["name"] for m in manifest_of(lumenar)["metrics"].values()}
    assert {name for name in names if not is_input(name)} == {*METRICS, *REPORTING}


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_what_its_description_says(lumenar: Warehouse, name: str) -> None:
    assert float(metric(lumenar, name)) == pytest.approx(float(METRICS[name]))


COUNTS = {"charges", "tokens", "requests", "billed_requests", "training_runs", "priced_training_runs", "accepted_units",
          "unconverted_costs"}  # fmt: skip
"""Metrics that are no money, and add up over every currency."""


def test_every_sum_of_money_is_asked_for_through_a_metric_that_looks_at_its_currencies(lumenar: Warehouse) -> None:
    metrics = {m["name"]: m for m in manifest_of(lumenar)["metrics"].values()}
    measured = {
        found["name"]: model["name"]
        for model in manifest_of(lumenar)["semantic_models"].values()
        for found in model["measures"]
    }
    simple = {name for name, m in metrics.items() if m["type"] == "simple"}
    assert {name for name in simple if not is_input(name)} == COUNTS
    sums = {name for name in simple if name.startswith("mixed_")}
    for name in sums:
        currencies = f"{measured[metrics[name]['type_params']['measure']['name']]}_currencies"
        [reader] = [
            m
            for m in metrics.values()
            if name in {i["name"] for i in m["type_params"]["metrics"] or []}
            or name in {(m["type_params"][part] or {}).get("name") for part in ("numerator", "denominator")}
        ]
        assert reader["name"] == name.removeprefix("mixed_")
        assert reader["type_params"]["expr"].startswith(f"case when {currencies} = 1 ")
        assert reader["type_params"]["expr"].endswith(f" then {name} end")


def test_no_metric_adds_dollars_and_euros(lumenar: Warehouse) -> None:
    mixed = ["billed_cost", "effective_cost", "contracted_cost", "list_cost", "unallocated_cost", "unallocated_ratio",
             "experiment_cost", "production_cost", "unknown_lifecycle_cost", "experiment_ratio"]  # fmt: skip
    assert {name: metric(lumenar, name, currency=None) for name in mixed} == dict.fromkeys(mixed)
    assert [metric(lumenar, "billed_cost", currency=c) for c in ("EUR", "USD")] == [25, Decimal("584.79")]


def test_a_metric_in_the_reporting_currency_is_unknown_where_the_plan_names_none(lumenar: Warehouse) -> None:
    assert [metric(lumenar, name, currency=None) for name in REPORTING[:2]] == [None, None]
    assert (
        metric(lumenar, "unconverted_costs", currency=None)
        == lumenar.only("select count(*) from fct_reporting_currency_cost")[0]
    )


def test_every_dimension_of_the_metric_layer_is_in_its_mart(lumenar: Warehouse) -> None:
    for model in manifest_of(lumenar)["semantic_models"].values():
        dimensions = ", ".join(d["expr"] or d["name"] for d in model["dimensions"])
        assert lumenar.ask(f"select {dimensions} from {model['node_relation']['alias']} limit 1")


def test_every_notebook_report_and_command_says_which_marts_it_reads(lumenar: Warehouse) -> None:
    shown = {
        e["name"]: {name.split(".")[-1] for name in e["depends_on"]["nodes"]}
        for e in manifest_of(lumenar)["exposures"].values()
    }
    root = PROJECT.parent
    readers = {f"notebook_{file.stem}": [file] for file in sorted((root / "notebooks").glob("[0-9]*.py"))}
    readers["executive_report"] = sorted((root / "finops_lib" / "reports").glob("*.py"))
    readers["gates"] = [root / "finops_lib" / "policy.py"]
    readers["commands"] = [root / "finops_lib" / "pipeline.py"]
    readers["plan"] = [root / "finops_lib" / "proposals.py", *sorted((root / "finops_lib" / "warehouse").glob("*.py"))]
    assert {
        name: {mart for mart in MARTS for file in files if f'"{mart}"' in file.read_text(encoding="utf-8")}
        # Who asks of which day everything is, asks this mart.
        | {"fct_data_freshness" for file in files if "warehouse.data_date(" in file.read_text(encoding="utf-8")}
        for name, files in readers.items()
    } == shown


def test_every_mart_is_read_by_a_notebook_report_command_or_metric(lumenar: Warehouse) -> None:
    manifest = manifest_of(lumenar)
    readers = (*manifest["exposures"].values(), *manifest["semantic_models"].values())
    read = {name.split(".")[-1] for reader in readers for name in reader["depends_on"]["nodes"]}
    # The metric layer counts days by it.
    read |= {name.split(".")[-1] for name, node in manifest["nodes"].items() if node.get("time_spine")}
    assert set(MARTS) - read == set()


def test_an_empty_lake_builds_marts_without_rows(empty: Warehouse) -> None:
    shipped = {"dim_threshold", "fct_gate"}
    marts = [mart for mart in MARTS if mart not in shipped]
    assert {mart: empty.only(f"select count(*) from {mart}")[0] for mart in marts} == dict.fromkeys(marts, 0)
    assert empty.only("select count(*) from dim_threshold where decided_by = 'plan'") == (0,)
    assert empty.only("select count(distinct gate), count(is_passed), count(value) from fct_gate") == (10, 0, 0)


def test_a_bill_alone_is_allocated_by_its_tags(tmp_path: Path) -> None:
    warehouse = built(
        tmp_path,
        {"cost_and_usage": CHARGES},
        "--select",
        "+fct_allocated_cost",
        "+fct_budget_status",
        "--indirect-selection",
        "buildable",
    )
    assert warehouse.ask(
        "select team, team_evidence, sum(effective_cost) from fct_allocated_cost "
        "where billing_currency = 'USD' group by all order by all"
    ) == [
        ("fraud", "tag:team", Decimal("1.23")),
        ("research", "tag:team", Decimal(320)),
        ("search", "tag:team", Decimal(90)),
        ("serach", "tag:team", Decimal(40)),
        ("unallocated", "none", Decimal("31.06")),
        ("vision", "tag:team", Decimal("12.5")),
    ]
    assert warehouse.ask("select distinct status from fct_budget_status") == []


def is_grain(node: dict[str, Any]) -> bool:
    return (node.get("test_metadata") or {}).get("name") == "unique_grain"


def test_the_documentation_builds_offline_and_describes_every_column(lumenar: Warehouse) -> None:
    folder = lumenar.file.parent
    dbt(folder, lumenar.file, "docs", "generate", "--static")
    assert (folder / "target" / "static_index.html").stat().st_size > 100_000
    manifest = manifest_of(lumenar)
    catalog = json.loads((folder / "target" / "catalog.json").read_text(encoding="utf-8"))
    undescribed = [
        f"{node}.{column}"
        for node, relation in catalog["nodes"].items()
        for column in relation["columns"]
        if not manifest["nodes"][node]["columns"].get(column, {}).get("description", "").strip()
    ]
    tables = [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("seeds/*.csv")]
    assert len(catalog["nodes"]) == len(tables)
    assert undescribed == []
    assert {node["attached_node"] for node in manifest["nodes"].values() if is_grain(node)} >= {
        f"model.finops.{mart}" for mart in MARTS
    }
    unenforced = [mart for mart in MARTS if not manifest["nodes"][f"model.finops.{mart}"]["contract"]["enforced"]]
    assert unenforced == []


ALLOCATION_CHARGES = [
    # The gateway is a service pool: 60 by bytes, 40 of it go to the platform, which is a pool itself.
    charge("2026-09-01", "60", ServiceName="Gateway"),
    charge("2026-09-02", "8", ConsumedQuantity=Decimal(2), ConsumedUnit="GB", Tags=tags(Squad_Name="ML Platform")),
    charge("2026-09-02", "4", ConsumedQuantity=Decimal(1000), ConsumedUnit="MB", Tags=tags(team="search")),
    # The platform's own 8 and the 40 it receives are split by seconds, 3 to 1.
    charge("2026-09-03", "3", ConsumedQuantity=Decimal(1), ConsumedUnit="Hours", Tags=tags(team="search")),
    charge("2026-09-03", "2", ConsumedQuantity=Decimal(1200), ConsumedUnit="Seconds", Tags=tags(team="Fraud Team")),
    # Tax has fixed shares, and a tenth of it is nobody's.
    charge("2026-09-30", "10", ChargeCategory="Tax", ServiceName="Tax"),
    # What a commitment saved, and an account below a unit that says whose it is.
    charge("2026-10-01", "0", EffectiveCost=Decimal(6), ContractedCost=Decimal(9), CommitmentDiscountStatus="Used",
           Tags=tags(team="search")),
    charge("2026-10-02", "5", SubAccountId="111"),
    # On October's bill, so September stays what it was.
    charge("2026-09-15", "-1", BillingPeriodStart=at("2026-10-01"), BillingPeriodEnd=at("2026-11-01"),
           Tags=tags(team="search"), ServiceName="Refund"),
]  # fmt: skip


def shared(rule_id: str, driver: str, consumer: str, **changed: Any) -> dict[str, Any]:
    return {"rule_id": rule_id, "driver": driver, "consumer_team": consumer, **changed}


ALLOCATION_PLAN: dict[str, list[dict[str, Any]]] = {
    "tag_rule": [
        {"rule_id": "unit", "priority": 1, "dimension": "business_unit", "field": "team", "operator": "equals",
         "pattern": "search", "value": "shop"},
        {"rule_id": "refunds", "priority": 1, "dimension": "application", "field": "service_name",
         "operator": "present"},
    ],
    "tag_alias": [
        {"tag_key": "team", "alias": "squad name"},
        {"tag_key": "team", "alias": "fraud-team", "value": "fraud"},
        {"tag_key": "team", "alias": "mlp", "value": "ml-platform"},
    ],
    "account": [
        {"provider": "AWS", "account_id": "unit-lab", "account_name": "Lab", "team": "lab",
         "business_unit": "research"},
        {"provider": "AWS", "account_id": "111", "account_name": "Sandbox", "parent_account_id": "unit-lab"},
    ],
    "owner": [
        {"subject_kind": "team", "subject": "search", "owner": "i", "cost_center": "100"},
        {"subject_kind": "team", "subject": "fraud", "owner": "j", "cost_center": "200"},
    ],
    "shared_cost_rule": [
        shared("gateway", "bytes", "ml-platform", pool_field="service_name", pool_value="Gateway"),
        shared("gateway", "bytes", "search", pool_field="service_name", pool_value="Gateway"),
        shared("platform", "seconds", "search", pool_team="ml-platform"),
        shared("platform", "seconds", "fraud", pool_team="ml-platform"),
        shared("tax", "fixed", "search", pool_field="charge_kind", pool_value="tax", share=Decimal("0.5")),
        shared("tax", "fixed", "fraud", pool_field="charge_kind", pool_value="tax", share=Decimal("0.4")),
    ],
    "closed_month": [{"month": "2026-09", "closed_on": date(2026, 10, 10), "late_delivery": "correction"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    lake = {"cost_and_usage": ALLOCATION_CHARGES, **ALLOCATION_PLAN}
    return built(
        tmp_path_factory.mktemp("shares"), lake, "--select", "+fct_allocated_cost", "+fct_showback", "+fct_chargeback",
        "--indirect-selection", "buildable",
    )  # fmt: skip


def test_costs_pass_through_pools_that_are_named_on_the_way(shares: Warehouse) -> None:
    # Bytes: 2 GB to 1,000 MB, so two thirds of 60 go on to the platform. Seconds: 3,600 to 1,200.
    assert shares.ask(
        "select team, allocation_path, allocation_rule, origin_team, cost_center, sum(effective_cost), "
        "round(max(driver_ratio), 6) from fct_allocated_cost where pool is not null group by all order by all"
    ) == [
        ("fraud", "charge_kind:tax", "tax", "unallocated", "200", Decimal(4), 0.4),
        ("fraud", "ml-platform", "platform", "ml-platform", "200", Decimal(2), 0.25),
        ("fraud", "service_name:Gateway > ml-platform", "platform", "unallocated", "200", Decimal(10), 0.25),
        ("search", "charge_kind:tax", "tax", "unallocated", "100", Decimal(5), 0.5),
        ("search", "ml-platform", "platform", "ml-platform", "100", Decimal(6), 0.75),
        ("search", "service_name:Gateway", "gateway", "unallocated", "100", Decimal(20), 0.333333),
        ("search", "service_name:Gateway > ml-platform", "platform", "unallocated", "100", Decimal(30), 0.75),
        ("unallocated", "charge_kind:tax", "tax", "unallocated", "unallocated", Decimal(1), 0.1),
    ]


def test_each_dimension_says_which_rule_tag_account_or_owner_decided_it(shares: Warehouse) -> None:
    assert shares.ask(
        "select distinct team, team_evidence, business_unit, business_unit_evidence, cost_center, "
        "cost_center_evidence, application, application_evidence from int_charges_attributed "
        "where team <> 'unallocated' and service_name = 'Amazon EC2' order by all"
    ) == [
        ("fraud", "tag:team", "unallocated", "none", "200", "owner:team", "amazon ec2", "rule:refunds"),
        ("lab", "account:unit-lab", "research", "account:unit-lab", "unallocated", "none", "amazon ec2",
         "rule:refunds"),
        ("ml-platform", "tag:team", "unallocated", "none", "unallocated", "none", "amazon ec2", "rule:refunds"),
        ("search", "tag:team", "shop", "rule:unit", "100", "owner:team", "amazon ec2", "rule:refunds"),
    ]  # fmt: skip


def test_a_statement_shows_own_usage_shares_savings_and_refunds(shares: Warehouse) -> None:
    assert shares.ask(
        "select month, line, allocation_path, billed_cost, effective_cost, commitment_saving, charge_count "
        "from fct_showback where team = 'search' order by all"
    ) == [
        ("2026-09", "direct", None, Decimal(6), Decimal(6), None, 3),
        ("2026-09", "shared", "charge_kind:tax", Decimal(5), Decimal(5), None, 1),
        ("2026-09", "shared", "ml-platform", Decimal(6), Decimal(6), None, 1),
        ("2026-09", "shared", "service_name:Gateway", Decimal(20), Decimal(20), None, 1),
        ("2026-09", "shared", "service_name:Gateway > ml-platform", Decimal(30), Decimal(30), None, 0),
        ("2026-10", "direct", None, Decimal(0), Decimal(6), Decimal(3), 1),
    ]


def test_a_closed_month_is_posted_by_its_bill_and_an_open_one_is_not(shares: Warehouse) -> None:
    # September's bill is 87; the refund of a September day is on October's.
    assert shares.ask(
        "select month, line_number, cost_center, team, line, allocation_path, billed_cost from fct_chargeback "
        "order by all"
    ) == [
        ("2026-09", 1, "100", "search", "direct", None, Decimal(7)),
        ("2026-09", 2, "100", "search", "shared", "charge_kind:tax", Decimal(5)),
        ("2026-09", 3, "100", "search", "shared", "ml-platform", Decimal(6)),
        ("2026-09", 4, "100", "search", "shared", "service_name:Gateway", Decimal(20)),
        ("2026-09", 5, "100", "search", "shared", "service_name:Gateway > ml-platform", Decimal(30)),
        ("2026-09", 6, "200", "fraud", "direct", None, Decimal(2)),
        ("2026-09", 7, "200", "fraud", "shared", "charge_kind:tax", Decimal(4)),
        ("2026-09", 8, "200", "fraud", "shared", "ml-platform", Decimal(2)),
        ("2026-09", 9, "200", "fraud", "shared", "service_name:Gateway > ml-platform", Decimal(10)),
        ("2026-09", 10, "unallocated", "unallocated", "shared", "charge_kind:tax", Decimal(1)),
    ]


def test_pools_in_a_circle_are_refused_by_name(tmp_path: Path) -> None:
    circle = [shared("there", "even", "b", pool_team="a"), shared("back", "even", "a", pool_team="b")]
    lake = {"cost_and_usage": [charge("2026-09-01", "1", Tags=tags(team="a"))], "shared_cost_rule": circle}
    with pytest.raises(AssertionError, match="assert_no_pool_waits_for_itself"):
        built(tmp_path, lake, "--select", "+int_pools_by_day", "assert_no_pool_waits_for_itself")  # fmt: skip
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as db:
        assert db.sql("select pool, rule_id, stage from int_pools_by_day order by pool").fetchall() == [
            ("a", "there", None),
            ("b", "back", None),
        ]
