"""The contracts are the specification's columns, and every rule of theirs catches the row that breaks it."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from finops_lib.contract import Contract, contract, contracts, literal, quoted
from finops_lib.errors import UsageError

from conftest import SHARED  # isort: skip

TYPES = {"String": "string", "Decimal": "decimal", "Date/Time": "timestamp", "JSON": "json"}


@pytest.fixture(scope="module")
def specification() -> list[dict[str, str]]:
    file = SHARED / "focus" / "columns.csv"
    if not file.exists():
        pytest.skip(
            "../shared/focus/columns.csv is not beside the project: the specification's list cannot be compared"
        )
    with file.open(encoding="utf-8", newline="") as handle:
        return [r for r in csv.DictReader(handle) if r["focus_version"] == "1.4"]


@pytest.mark.parametrize(
    ("dataset", "columns"),
    [("cost_and_usage", 65), ("contract_commitment", 30), ("billing_period", 6), ("invoice_detail", 22)],
)
def test_a_focus_dataset_is_focus_1_4_column_by_column(
    dataset: str, columns: int, specification: list[dict[str, str]]
) -> None:
    ours = [c for c in contract(dataset).columns if not c.name.startswith("x_")]
    assert len(ours) == columns
    found = [(c.name, c.type, c.level, c.nulls, "|".join(c.values), c.introduced) for c in ours]
    wanted = [
        (
            r["column"], TYPES[r["data_type"]], r["feature_level"], r["allows_nulls"] == "True",
            r["allowed_values"], r["introduced"],
        )
        for r in specification
        if r["dataset"] == contract(dataset).focus_dataset
    ]  # fmt: skip
    assert found == wanted


def test_every_amount_names_its_currency_and_every_token_count_its_unit() -> None:
    amounts = [(d.dataset, c.name) for d in contracts().values() for c in d.columns
               if c.type == "decimal" and not (c.currency or c.unit)]  # fmt: skip
    assert amounts == []
    counts = [c.name for d in contracts().values() for c in d.columns if c.name.endswith("_tokens") and not c.unit]
    assert counts == []
    for d in contracts().values():
        for c in d.columns:
            for other in (c.currency, c.unit if c.unit in d.names else None):
                assert other is None or other in d.names, f"{d.dataset}.{c.name} points at {other}"


def test_every_column_says_what_it_means() -> None:
    assert [(d.dataset, c.name) for d in contracts().values() for c in d.columns if len(c.description) < 8] == []


def test_keys_months_and_accounts_are_columns() -> None:
    for d in contracts().values():
        assert {*d.key, *(x for x in (d.month, d.account) if x)} <= set(d.names)


BREAKING = {
    "not null": "null",
    "no empty text": "''",
    "allowed values": "'no such value'",
    "pattern": "'no such pattern'",
    "valid JSON": "'{not json'",
}


@pytest.mark.parametrize("dataset", list(contracts()))
def test_each_rule_catches_a_row_that_breaks_it_and_lets_an_empty_optional_one_pass(dataset: str) -> None:
    own = contract(dataset)
    for rule in own.rules():
        column = own.column(rule.column)
        value = BREAKING.get(rule.name)
        if rule.name == "minimum":
            value = str((column.minimum or 0) - 1)
        elif rule.name == "maximum":
            value = str((column.maximum or 0) + 1)
        if value is None:
            continue
        with duckdb.connect() as db:
            cells = ", ".join(
                f"cast({value if c.name == rule.column else 'null'} as {c.sql_type}) as {quoted(c.name)}"
                for c in own.columns
            )
            [(broken,)] = db.sql(f"select {rule.offends} from (select {cells})").fetchall()
            assert broken is True, f"{dataset}.{rule.column}: {rule.name}"
            if rule.name != "not null":
                blank = ", ".join(f"cast(null as {c.sql_type}) as {quoted(c.name)}" for c in own.columns)
                [(passes,)] = db.sql(f"select {rule.offends} from (select {blank})").fetchall()
                assert passes is False, f"{dataset}.{rule.column}: {rule.name}"


@pytest.mark.parametrize(
    ("dataset", "values", "promise"),
    [
        ("ai_usage", {"input_uncached_tokens": 1, "cache_read_tokens": 2, "cache_write_5m_tokens": 0,
                      "cache_write_1h_tokens": 0, "output_tokens": 3, "total_tokens": 7},
         "token kinds add up to the total"),
        ("ai_usage", {"reasoning_tokens": 5, "output_tokens": 4}, "reasoning is part of output"),
        ("outcome", {"units": 5, "accepted_units": 6}, "accepted is part of units"),
        ("outcome", {"revenue": 5}, "revenue has a currency"),
        ("tag_rule", {"field": "'tag'"}, "tag rules name a tag key"),
        ("tag_rule", {"operator": "'equals'"}, "comparisons have a pattern"),
        ("tag_rule", {"dimension": "'team'", "field": "'team'"},
         "a rule looks only at dimensions decided before its own"),
        ("tag_rule", {"dimension": "'project'", "field": "'business_unit'"},
         "a rule looks only at dimensions decided before its own"),
        ("account", {"account_id": "'a'", "parent_account_id": "'a'"}, "account is not its own parent"),
        ("shared_cost_rule", {"pool_team": "'a'", "consumer_team": "'a'"}, "pool is not its own consumer"),
        ("shared_cost_rule", {}, "a rule names one pool as pool team or as pool value"),
        ("shared_cost_rule", {"pool_team": "'a'", "pool_value": "'b'"},
         "a rule names one pool as pool team or as pool value"),
        ("shared_cost_rule", {"pool_field": "'team'", "pool_team": "'a'"}, "a pool field has a pool value"),
        ("shared_cost_rule", {"pool_field": "'charge_kind'", "pool_value": "'Tax'"},
         "kinds of charge are usage support unused commitment purchase tax credit or adjustment"),
        ("shared_cost_rule", {"driver": "'fixed'"}, "fixed shares are stated and no others"),
        ("shared_cost_rule", {"driver": "'even'", "share": "0.5"}, "fixed shares are stated and no others"),
        ("assumption", {"name": "'exchange_rate'", "currency": "'EUR'"}, "exchange rates name both currencies"),
        ("assumption", {"name": "'reporting_currency'", "currency": "'EUR'", "value": 2},
         "reporting currency is named with the value 1"),
        ("contract_commitment", {"ContractCommitmentCategory": "'Spend'"},
         "spend commitments have a cost and its currency"),
        ("contract_commitment", {"ContractCommitmentCategory": "'Usage'"}, "usage commitments have a quantity"),
        ("contract_commitment", {"ContractCommitmentQuantity": 1}, "quantities have a unit"),
        ("contract_commitment", {"ContractCommitmentCost": 1}, "costs have a currency"),
        ("invoice_detail", {"PaymentCurrencyBilledCost": 1}, "payments have a currency"),
        ("forecast", {"expected": 5, "low": 6, "high": 7}, "interval holds the expectation"),
    ],
)  # fmt: skip
def test_a_promise_between_columns_catches_the_row_that_breaks_it(
    dataset: str, values: dict[str, object], promise: str
) -> None:
    own: Contract = contract(dataset)
    [rule] = [r for r in own.rules() if r.name == promise]
    with duckdb.connect() as db:
        cells = ", ".join(
            f"cast({values.get(c.name, 'null')} as {c.sql_type}) as {quoted(c.name)}" for c in own.columns
        )
        assert db.sql(f"select {rule.offends} from (select {cells})").fetchall() == [(True,)]


def test_an_unknown_dataset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"^There is no dataset 'costs'\. Datasets: account, ai_usage, "):
        contract("costs")


def test_names_and_texts_are_quoted_for_sql() -> None:
    with duckdb.connect() as db:
        hostile = "a\"b'; drop table t; --"
        assert db.sql(f"select {literal(hostile)} as {quoted(hostile)}").fetchall() == [(hostile,)]


def test_the_dbt_sources_are_the_contracts() -> None:
    from finops_lib.contract import dbt_columns, dbt_sources

    staging = Path(__file__).parent.parent / "dbt_project" / "models" / "staging"
    assert (staging / "_lake.yml").read_text(encoding="utf-8") == dbt_sources()
    assert (staging / "_lake_columns.md").read_text(encoding="utf-8") == dbt_columns()


def test_no_column_is_called_like_a_folder_of_the_lake() -> None:
    # Hive partitioning would put the folder's value in its place.
    assert [d.dataset for d in contracts().values() if {"source", "billing_month"} & set(d.names)] == []
