"""What is written for others: periods end where the calendar says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from finops_lib.export import DIMENSIONS, export_allocation
from finops_lib.lake import Home

TEXTS = (
    *DIMENSIONS, "allocation_rule", "driver", "allocation", "billing_currency", "billing_month", "charge_category",
    "service_category", "service_name", "service_provider_name", "allocation_path", "charge_kind", "origin_team",
    "pool", "team_evidence",
)  # fmt: skip


def test_a_billing_period_ends_with_its_month_however_long_it_is(home: Home, tmp_path: Path) -> None:
    home.root.mkdir()
    with duckdb.connect(str(home.warehouse)) as db:
        db.execute(
            f"create table fct_allocated_cost ({', '.join(f'{name} varchar' for name in dict.fromkeys(TEXTS))}, "
            "charge_date date, charge_count bigint, billed_cost decimal(38, 18), effective_cost decimal(38, 18), "
            "estimated_cost decimal(38, 18), "
            "driver_ratio double, driver_quantity decimal(38, 18))"
        )
        for month in ("2026-02", "2026-10", "2026-12"):
            db.execute(
                f"insert into fct_allocated_cost by name select '{month}' as billing_month, date '{month}-28' as "
                "charge_date, 1 as billed_cost, 1 as effective_cost"
            )
    assert export_allocation(home, out=tmp_path / "allocation.csv") == 3
    found = pl.read_csv(tmp_path / "allocation.csv").sort("BillingPeriodStart")
    assert found.select("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodEnd").rows() == [
        ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-10-29T00:00:00Z"),
        ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "2026-12-29T00:00:00Z"),
    ]
