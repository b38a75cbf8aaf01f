"""What writers do to a file around its rows: encodings, blank lines, words for nothing, wrappers around lists."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_gcp import LINE
from test_ingest import HEADER, charge, deliver, text

from finops_lib import lake, warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home

WRAPPED_TEXT = pa.struct(
    [("list", pa.list_(pa.struct([("element", pa.struct([("key", pa.string()), ("value", pa.string())]))])))]
)


def billed(home: Home) -> dict[str, str]:
    [held] = lake.current(home).values()
    return dict(held.billed_total)


def wrapped(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"list": [{"element": {"key": key, "value": value}} for key, value in pairs]}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_in_utf_16_is_refused_by_that_name(home: Home, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "excel.csv"
    file.write_bytes(text(charge("1")).encode(encoding))
    assert deliver(home, file) == [
        ("refused", "excel.csv: this is text in UTF-16. Wanted CSV or JSON in UTF-8, or Parquet, gzipped or not.")
    ]


@pytest.mark.parametrize("start", ["\n", "\r\n\r\n", "\ufeff\n"])
def test_blank_lines_before_the_header_are_no_rows(home: Home, tmp_path: Path, start: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(start + text(charge("1.5"), charge("2")), encoding="utf-8", newline="")
    assert [status for status, _ in deliver(home, file)] == ["published"]
    assert billed(home) == {"USD": "3.5"}
    assert warehouse.dataset(home, "cost_and_usage")["x_SourceRow"].sort().to_list() == [1, 2]


@pytest.mark.parametrize("nothing", ["NULL", "null"])
def test_a_word_for_nothing_is_nothing(home: Home, tmp_path: Path, nothing: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text(charge("1.5", RegionId=nothing, ListUnitPrice=nothing)), encoding="utf-8")
    assert [status for status, _ in deliver(home, file)] == ["published"]
    assert warehouse.dataset(home, "cost_and_usage").select("RegionId", "ListUnitPrice").row(0) == (None, None)


def test_lists_in_wrappers_are_read_also_inside_of_structs(home: Home, tmp_path: Path) -> None:
    """A table that BigQuery loaded from Parquet without list inference writes them so."""
    kinds = {"regular": "COMMITTED_USAGE_DISCOUNT", "promotion": "PROMOTION"}
    words = [(name, pa.string()) for name in ("name", "full_name", "id", "type")]
    credit = pa.struct([*words, ("amount", pa.decimal128(38, 9))])
    given = [
        {"element": {"name": k, "full_name": k, "id": k, "type": t, "amount": Decimal("-0.25")}}
        for k, t in kinds.items()
    ]
    line = LINE | {
        "cost": Decimal("10.000000001"),
        "credits": {"list": given},
        "project": {"id": "p", "name": "P", "labels": wrapped(("env", "prod"))},
        "labels": wrapped(("team", "search")),
        "usage": None,
    }
    columns: dict[str, Any] = {
        "cost": pa.decimal128(38, 9),
        "credits": pa.struct([("list", pa.list_(pa.struct([("element", credit)])))]),
        "project": pa.struct([("id", pa.string()), ("name", pa.string()), ("labels", WRAPPED_TEXT)]),
        "labels": WRAPPED_TEXT,
    }
    rows = [line, line | {"labels": None, "project": None, "credits": {"list": []}}]
    table = {name: pa.array([row[name] for row in rows], columns.get(name)) for name in line}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    assert [status for status, _ in deliver(home, tmp_path / "a.parquet")] == ["published"]
    charges = warehouse.dataset(home, "cost_and_usage").sort("x_SourceRow", "x_SourcePart")
    assert list(zip(charges["ChargeCategory"], charges["BilledCost"], charges["Tags"], strict=True)) == [
        ("Usage", Decimal("9.750000001"), '{"team":"search","env":"prod"}'),
        ("Credit", Decimal("-0.25"), '{"team":"search","env":"prod"}'),
        ("Usage", Decimal("10.000000001"), None),
    ]


def test_a_decimal_too_wide_to_be_exact_is_refused(home: Home, tmp_path: Path) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"BilledCost": pa.array([Decimal("0.3")], pa.decimal256(76, 38))}), out)
    (tmp_path / "a.parquet").write_bytes(out.getvalue())
    assert deliver(home, tmp_path / "a.parquet") == [
        (
            "refused",
            "a.parquet: found a DECIMAL of 76 digits in column BilledCost, wanted 38 or fewer, which can be read to "
            "the last digit. Export it as NUMERIC or as text.",
        )
    ]


@pytest.mark.parametrize("values", ["[1, 2]", '["a"]', "[[], []]"])
def test_json_without_a_record_is_refused_as_such(home: Home, tmp_path: Path, values: str) -> None:
    (tmp_path / "a.json").write_text(values)
    assert deliver(home, tmp_path / "a.json") == [
        ("refused", "a.json: this JSON holds no record, so nothing tells which export it is. Nothing is lost.")
    ]


def test_a_file_whose_values_misfit_all_over_is_refused_by_them_alone(home: Home, tmp_path: Path) -> None:
    """Even where the adapter cannot do without those values."""
    (tmp_path / "cur.csv").write_text(
        "bill_payer_account_id,bill_billing_period_start_date,line_item_line_item_type,line_item_currency_code,"
        "line_item_unblended_cost,identity_time_interval\n1,soon,Usage,USD,much,whenever\n"
    )
    said = [o.message for o in ingest(home, [tmp_path / "cur.csv"], data_docs=False).refused]
    assert said[0].startswith("cur.csv, row 1, column bill_billing_period_start_date: found 'soon', wanted a time")
    assert said[1].startswith("cur.csv, row 1, column line_item_unblended_cost: found 'much', wanted a number.")


def test_details_of_a_price_that_a_charge_does_not_name_are_left_out_and_said(home: Home, tmp_path: Path) -> None:
    row = [*charge("1", category="Tax"), "p", '{"CoreCount": 2}']
    (tmp_path / "a.csv").write_text(text(row, header=[*HEADER, "SkuPriceId", "SkuPriceDetails"]))
    assert [status for status, _ in deliver(home, tmp_path / "a.csv")] == ["published"]
    [row] = warehouse.dataset(home, "cost_and_usage").select("SkuPriceDetails", "x_Repairs").rows()
    assert row[0] is None
    assert '"SkuPriceDetails": {"CoreCount": 2}' in row[1]
