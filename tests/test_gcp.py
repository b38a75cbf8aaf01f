"""Google Cloud's billing export: what a partition replaces, what flattening does to it, and exports of others."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home, current

LINE: dict[str, Any] = {
    "billing_account_id": "01AB2C-3D4E5F-000001",
    "service": {"id": "6F81", "description": "Compute Engine"},
    "sku": {"id": "AAAA-0001", "description": "N1 Predefined Instance Core running in Americas"},
    "usage_start_time": "2026-10-05T00:00:00Z",
    "usage_end_time": "2026-10-05T01:00:00Z",
    "usage": {"amount": 3600.0, "unit": "seconds", "amount_in_pricing_units": 1.0, "pricing_unit": "hour"},
    "credits": [],
    "cost": 10.0,
    "currency": "USD",
    "invoice": {"month": "202610"},
    "cost_type": "regular",
}


def delivered(file: Path, *lines: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps({**LINE, **line}) + "\n" for line in lines), encoding="utf-8")
    return file


def billed(home: Home) -> dict[str, Decimal]:
    return {str(unit.month): Decimal(d.billed_total["USD"]) for unit, d in current(home).items()}


def test_a_partition_delivered_again_replaces_itself_and_the_days_before_it_stay(home: Home, tmp_path: Path) -> None:
    first = delivered(tmp_path / "05.ndjson", {"partition_date": "2026-10-05", "cost": 10.0})
    second = delivered(tmp_path / "06.ndjson", {"partition_date": "2026-10-06", "cost": 3.5})
    grown = delivered(
        tmp_path / "06-again.ndjson",
        {"partition_date": "2026-10-06", "cost": 3.5},
        {"partition_date": "2026-10-06", "cost": 0.25},
    )
    for file in (first, second, first, grown, grown):
        assert ingest(home, [file], data_docs=False).refused == []
    assert billed(home) == {"2026-10": Decimal("13.75")}
    charges = warehouse.dataset(home, "cost_and_usage")
    assert sorted(zip(charges["x_Partition"], charges["BilledCost"], strict=True)) == [
        ("2026-10-05", Decimal("10")), ("2026-10-06", Decimal("0.25")), ("2026-10-06", Decimal("3.5")),
    ]  # fmt: skip


def test_late_usage_is_added_to_the_month_of_its_invoice(home: Home, tmp_path: Path) -> None:
    ingest(home, [delivered(tmp_path / "10.ndjson", {"partition_date": "2026-10-31"})], data_docs=False)
    late = delivered(
        tmp_path / "11.ndjson",
        {"_PARTITIONTIME": "2026-11-02 00:00:00 UTC", "cost": 1.0},
        {"_PARTITIONTIME": "2026-11-02 00:00:00 UTC", "cost": 2.0, "invoice": {"month": "202611"}},
    )
    assert ingest(home, [late], data_docs=False).refused == []
    assert billed(home) == {"2026-10": Decimal("11"), "2026-11": Decimal("2")}


def test_without_partition_dates_a_delivery_replaces_its_month_whole(home: Home, tmp_path: Path) -> None:
    ingest(home, [delivered(tmp_path / "days.ndjson", {"partition_date": "2026-10-05"})], data_docs=False)
    ingest(home, [delivered(tmp_path / "month.ndjson", {"cost": 7.0})], data_docs=False, accept_shrink=True)
    assert billed(home) == {"2026-10": Decimal("7")}
    day = delivered(tmp_path / "day.ndjson", {"partition_date": "2026-10-06", "cost": 1.0})
    ingest(home, [day], data_docs=False, accept_shrink=True)
    assert billed(home) == {"2026-10": Decimal("1")}


def test_a_credit_without_a_known_amount_is_never_counted_as_nothing(home: Home, tmp_path: Path) -> None:
    unknown = {"name": "Spend based", "amount": "four", "type": "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"}
    done = ingest(home, [delivered(tmp_path / "spoilt.ndjson", {"credits": [unknown]})], data_docs=False)
    assert done.refused[0].message.startswith(
        "spoilt.ndjson, row 1, column credits[*].amount: found 'four', wanted a number."
    )
    wrapped = delivered(tmp_path / "wrapped.ndjson", {"credits": {"list": [{"element": {"amount": -4.0}}]}})
    done = ingest(home, [wrapped], data_docs=False)
    assert done.refused[0].message.startswith(
        "wrapped.ndjson, row 1, column credits: found another shape, wanted struct"
    )
    assert current(home) == {}


def test_a_misfit_in_a_flattened_export_is_named_by_its_own_column(home: Home, tmp_path: Path) -> None:
    sample = Path(__file__).parent.parent / "data" / "samples" / "gcp_detailed" / "flattened.csv"
    text = sample.read_text(encoding="utf-8")
    for was, now, column in (
        ("'amount': -4.0", "'amount': minus four", "credits"),
        ("200.0,count,200.0,count", "200.0,count,many,count", "usage.amount_in_pricing_units"),
    ):
        spoilt = tmp_path / "spoilt.csv"
        assert was in text
        spoilt.write_text(text.replace(was, now), encoding="utf-8")
        done = ingest(home, [spoilt], data_docs=False)
        assert {o.status for o in done.outcomes} == {"refused"}
        assert f"column {column}" in done.refused[0].message
    assert current(home) == {}


def test_exports_of_others_come_in_to_the_last_digit(home: Home, shared_samples: Path) -> None:
    done = ingest(home, [shared_samples / "gcp" / "2022-08-01_5.csv"], data_docs=False)
    assert [(o.status, o.delivery and o.delivery.billed_total) for o in done.outcomes] == [
        ("published", {"USD": "0.000012"})
    ]
    assert set(warehouse.dataset(home, "cost_and_usage")["x_Partition"]) == {"2022-08-01"}


def test_an_adjustment_is_a_correction_where_its_usage_is_of_an_earlier_month_in_california(
    home: Home, tmp_path: Path
) -> None:
    def adjusted(start: str, end: str) -> dict[str, Any]:
        return {"usage_start_time": start, "usage_end_time": end, "adjustment_info": {"id": "a", "description": "x"}}

    file = delivered(
        tmp_path / "adjusted.ndjson",
        adjusted("2026-10-01T06:00:00Z", "2026-10-01T07:00:00Z"),  # the last hour of September there
        adjusted("2026-10-01T07:00:00Z", "2026-10-01T08:00:00Z"),
        {"usage_start_time": "2026-10-01T06:00:00Z", "usage_end_time": "2026-10-01T07:00:00Z"},
    )
    assert ingest(home, [file], data_docs=False).refused == []
    charges = warehouse.dataset(home, "cost_and_usage").sort("x_SourceRow")
    assert charges["ChargeClass"].to_list() == ["Correction", None, None]
