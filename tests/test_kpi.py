"""The KPIs of the sample company, beside figures worked out from the lake and from what was planted."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.contract import contract
from finops_lib.lake import Home
from finops_lib.money import EXACT

GOVERNANCE = Path(__file__).parent.parent / "dbt_project" / "models" / "intermediate" / "governance"
ZERO = Decimal(0)


@pytest.fixture(scope="module")
def kpis(company: Home) -> pl.DataFrame:
    return warehouse.mart(company, "fct_kpi")


@pytest.fixture(scope="module")
def truth(company: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))
    return found


def of_company(kpis: pl.DataFrame, kpi: str) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The company's rows of a KPI by month and currency; editions grade the same figures."""
    rows = kpis.filter((pl.col("kpi") == kpi) & (pl.col("scope") == "company"))
    return {(row["month"], row["billing_currency"]): row for row in rows.iter_rows(named=True)}


def test_commitments_are_used_as_planted(kpis: pl.DataFrame, truth: dict[str, Any]) -> None:
    wanted: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for planted in truth["commitments"]:
        if planted["vendor"] in ("AWS", "Microsoft"):  # Google spreads nothing
            amounts = wanted[planted["month"], planted["currency"]]
            amounts[0] = EXACT.add(amounts[0], Decimal(planted["used"]))
            amounts[1] = EXACT.add(amounts[1], Decimal(planted["unused"]))
    used, wasted = of_company(kpis, "commitment_utilization"), of_company(kpis, "commitment_waste")
    assert {key: row["numerator"] for key, row in used.items()} == {key: used for key, (used, _) in wanted.items()}
    assert {key: row["numerator"] for key, row in wasted.items()} == {key: left for key, (_, left) in wanted.items()}
    for key, (spent, left) in wanted.items():
        assert used[key]["value"] == pytest.approx(float(spent / (spent + left)))
        assert used[key]["grade"] == "run"


def test_unallocated_spend_is_what_was_planted(kpis: pl.DataFrame, truth: dict[str, Any]) -> None:
    [planted] = [Decimal(u["effective"]) for u in truth["unallocated"] if u["currency"] == "EUR"]
    rows = of_company(kpis, "spend_unallocated")
    assert sum((row["numerator"] for (_, currency), row in rows.items() if currency == "EUR"), ZERO) == planted
    for (month, currency), row in of_company(kpis, "apportionment").items():
        assert row["value"] == 1.0, (month, currency)


def test_idle_machines_are_those_whose_gpus_did_nothing_that_day(company: Home, kpis: pl.DataFrame) -> None:
    gpus = warehouse.dataset(company, "gpu_utilization").filter(pl.col("utilization_ratio").is_not_null())
    days = gpus.group_by("resource_id", day=pl.col("usage_start").dt.date()).agg(pl.col("utilization_ratio").mean())
    idle = set(days.filter(pl.col("utilization_ratio") < 0.05).select("resource_id", "day").iter_rows())
    charges = warehouse.dataset(company, "cost_and_usage").filter(pl.col("ChargeCategory") == "Usage")
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for resource, start, cost in charges.select("ResourceId", "ChargePeriodStart", "EffectiveCost").iter_rows():
        if (resource, start.date()) in idle:
            wanted[f"{start:%Y-%m}"] = EXACT.add(wanted[f"{start:%Y-%m}"], cost)
    rows = of_company(kpis, "idle_resource_share")
    found = {month: row["numerator"] for (month, currency), row in rows.items() if currency == "USD"}
    assert {month: cost for month, cost in found.items() if cost} == dict(wanted)
    assert min(wanted) == "2026-07"  # when the planted experiment was abandoned


def test_the_cache_hit_rate_is_that_of_the_counted_tokens(company: Home, kpis: pl.DataFrame) -> None:
    usage = warehouse.dataset(company, "ai_usage").filter(pl.col("counted_by") == "vendor")
    inputs = ["input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"]
    sums = usage.group_by("billing_month").agg(pl.col(inputs).sum())
    rows = of_company(kpis, "cache_hit_rate")
    for month in sums.iter_rows(named=True):
        rate = month["cache_read_tokens"] / sum(month[name] for name in inputs)
        assert rows[month["billing_month"], None]["value"] == pytest.approx(rate)


def test_what_the_sample_cannot_tell_is_missing_with_its_reason_and_never_nothing(kpis: pl.DataFrame) -> None:
    missing = kpis.filter(pl.col("value").is_null())
    assert missing.filter(pl.col("missing_reason").is_null() | pl.col("grade").is_not_null()).height == 0
    reasons = dict(missing.filter(pl.col("scope") == "company").select("kpi", "missing_reason").iter_rows())
    assert reasons["llm_error_rate"] == "no source counts failed requests"
    # One forecast, made on the last day of data, can neither have drifted nor be judged.
    assert set(kpis.filter(pl.col("kpi").is_in(["forecast_accuracy", "forecast_drift"]))["value"]) == {None}
    told = kpis.filter(pl.col("value").is_not_null())
    for row in told.iter_rows(named=True):
        assert row["value"] == pytest.approx(float(row["numerator"]) / float(row["denominator"]))


def test_what_an_invoice_asks_for_and_the_export_does_not_hold_is_missing_from_the_normalized(
    kpis: pl.DataFrame, truth: dict[str, Any]
) -> None:
    planted = truth["invoice_gap"]
    rows = of_company(kpis, "normalized_vs_invoiced")
    told = {key: row for key, row in rows.items() if row["value"] is not None}
    assert {row["missing_reason"] for key, row in rows.items() if key not in told} == {"no invoice was delivered"}
    assert {month for month, _ in told} == set(truth["months"][:-1])
    for key, row in told.items():
        gap = Decimal(planted["amount"]) if key == (planted["month"], planted["currency"]) else ZERO
        # Invoices are in cents.
        assert abs(row["denominator"] - row["numerator"] - gap) < Decimal("0.05"), key


def test_both_editions_grade_what_is_allocated(kpis: pl.DataFrame) -> None:
    rows = kpis.filter(pl.col("kpi") == "spend_allocated")
    assert set(rows["edition"]) == {"2023", "2026"}
    lines = {"2023": (0.5, 0.8, 0.9), "2026": (0.7, 0.85, 0.9)}
    for row in rows.iter_rows(named=True):
        crawl, walk, run = lines[row["edition"]]
        reached = [g for g, met in (("crawl", row["value"] >= crawl), ("walk", row["value"] >= walk),
                                    ("run", row["value"] > run)) if met]  # fmt: skip
        assert row["grade"] == (reached[-1] if reached else "below crawl")


def test_the_plan_can_draw_a_line_for_every_kpi_and_setting_there_is(kpis: pl.DataFrame) -> None:
    allowed = set(contract("threshold").column("measure").values)
    names = set(pl.read_csv(GOVERNANCE.parents[2] / "seeds" / "kpis.csv")["kpi"])
    assert set(kpis["kpi"]) == names
    assert allowed == names | {d["measure"] for d in warehouse.default_thresholds()}
