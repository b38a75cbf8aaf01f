"""Numbers in JSON keep every digit, and what stands in strings stays as it is."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.ingest.adapt.reading import exact_json
from finops_lib.lake import Home

MONEY = st.decimals(min_value=-(10**20), max_value=10**20, places=18, allow_nan=False, allow_infinity=False)
TEXTS = st.one_of(
    st.text(),
    st.sampled_from(
        ['"', "\\", '\\"', ': 0.12345678901234567890, "', "[1.23456789012345678901]", '","x":-1.5e-30123456789']
    ),
)
VALUES = st.recursive(
    st.one_of(MONEY, TEXTS, st.integers(-(2**63), 2**64), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def written(value: Any, *, blank: str) -> str:
    """JSON that spells a Decimal out."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return "[" + f",{blank}".join(written(v, blank=blank) for v in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k, ensure_ascii=False)}:{blank}{written(v, blank=blank)}" for k, v in value.items())
        return "{" + f",{blank}".join(pairs) + "}"
    return json.dumps(value, ensure_ascii=False)


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, (Decimal, int)) and not isinstance(wanted, bool):
        return not isinstance(found, bool) and Decimal(found) == wanted
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(same(found[k], v) for k, v in wanted.items())
    return bool(found == wanted)


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(max_examples=400, deadline=None)
@given(value=VALUES, blank=st.sampled_from(["", " ", "\n  "]))
def test_a_document_made_exact_says_what_it_said(db: duckdb.DuckDBPyConnection, value: Any, blank: str) -> None:
    document = written({"v": value}, blank=blank)
    [(exact,)] = db.execute(f"select cast({exact_json('$1')} as varchar)", [document]).fetchall()
    assert same(json.loads(exact, parse_float=Decimal)["v"], value)


@pytest.mark.parametrize(
    "amount",
    [
        "0.123456789012345678",
        "0.9007199254740993",
        "12345678901234567.25",
        "1.23456789012345678e-1",
        "-0.000000000000000001",
        "5.2E-9",
    ],
)
def test_a_number_of_a_page_is_billed_to_its_last_digit(amount: str, home: Home, tmp_path: Path) -> None:
    result = (
        f'{{"amount": {{"value": {amount}, "currency": "usd"}}, "line_item": "a \\"b\\": 0.12345678901234567890, c"}}'
    )
    page = tmp_path / "costs.json"
    page.write_text(
        f'{{"object": "page", "data": [{{"start_time": 1790812800, "end_time": 1790899200, "results": [{result}]}}]}}',
        encoding="utf-8",
    )
    assert [o.status for o in ingest(home, [page], data_docs=False).outcomes] == ["published"]
    [charge] = warehouse.dataset(home, "cost_and_usage").to_dicts()
    assert charge["BilledCost"] == Decimal(amount)
    assert charge["ChargeDescription"] == 'a "b": 0.12345678901234567890, c'


def test_a_price_in_a_json_column_of_a_csv_keeps_its_digits(home: Home, tmp_path: Path) -> None:
    pricing = '"{""default"": 123456.123456789012, ""effective_list"": {""default"": 123456.123456789012}}"'
    (tmp_path / "list_prices.csv").write_text(
        "price_start_time,price_end_time,account_id,sku_name,cloud,currency_code,usage_unit,pricing\n"
        f"2025-01-01T00:00:00Z,,a,JOBS,AWS,USD,DBU,{pricing}\n",
        encoding="utf-8",
    )
    (tmp_path / "usage.csv").write_text(
        "record_id,account_id,sku_name,cloud,record_type,usage_start_time,usage_end_time,usage_date,usage_unit,"
        "usage_quantity\n"
        "1,a,JOBS,AWS,ORIGINAL,2026-10-01T00:00:00Z,2026-10-01T01:00:00Z,2026-10-01,DBU,1.000000\n",
        encoding="utf-8",
    )
    assert ingest(home, [tmp_path], data_docs=False).refused == []
    [charge] = warehouse.dataset(home, "cost_and_usage").to_dicts()
    assert charge["BilledCost"] == Decimal("123456.123456789012")
