"""Commitments, categories, drivers, rates and currencies of the sample company: is what was planted what comes out?"""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.lake import Home
from finops_lib.money import EXACT
from finops_lib.samples import company as co


def total(amounts: Any) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))


@pytest.fixture(scope="module")
def truth(company: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def charges(company: Home) -> pl.DataFrame:
    return warehouse.dataset(company, "cost_and_usage").with_columns(day=pl.col("ChargePeriodStart").dt.date())


def month_of(frame: pl.DataFrame, commitment_id: str, month: str) -> dict[str, Any]:
    [row] = frame.filter((pl.col("commitment_id") == commitment_id) & (pl.col("month") == month)).to_dicts()
    return row


def test_each_commitment_is_used_and_unused_as_planted_and_keeps_the_rule_of_focus(
    company: Home, truth: dict[str, Any]
) -> None:
    mart = warehouse.mart(company, "fct_commitments")
    assert truth["commitments"]
    for planted in truth["commitments"]:
        row = month_of(mart, planted["commitment_id"], planted["month"])
        assert row["billing_currency"] == planted["currency"]
        assert {k: row[f"{k}_cost"] for k in ("purchased", "used", "unused")} == {
            k: Decimal(planted[k]) for k in ("purchased", "used", "unused")
        }
        assert row["utilization"] == pytest.approx(float(planted["used"]) / float(planted["purchased"]))
        if planted["month"] == "2026-10":
            assert (row["rule_status"], row["rule_reason"]) == ("not judged", "the month is not over")
        else:
            assert (row["rule_status"], row["rule_scope"], row["rule_difference"]) == ("holds", "month", 0)
    of_ids = mart.filter(pl.col("identified_by") == "commitment id")
    assert of_ids.height == len(truth["commitments"])


def test_a_commitment_breaks_even_where_its_price_stands_to_the_list_price(
    company: Home, charges: pl.DataFrame
) -> None:
    mart = warehouse.mart(company, "fct_commitments")
    machine, plan = co.MACHINES["m5.4xlarge"], co.SAVINGS_PLAN.commitment_id
    reserved = mart.filter(pl.col("commitment_id") == co.RESERVATION.commitment_id)
    assert machine.covered_price
    wanted = float(machine.covered_price / machine.price)
    assert reserved["break_even_utilization"].to_list() == pytest.approx([wanted] * reserved.height)
    provisioned = mart.filter(pl.col("commitment_id") == co.PROVISIONED.commitment_id)
    wanted = float(co.PROVISIONED.hourly / co.PROVISIONED_PRICE)
    assert provisioned["break_even_utilization"].to_list() == pytest.approx([wanted] * provisioned.height)
    assert set(provisioned["kind"]) == {"provisioned throughput"}
    covered = charges.filter((pl.col("CommitmentDiscountId") == plan) & (pl.col("CommitmentDiscountStatus") == "Used"))
    for (month,), rows in covered.group_by("billing_month"):
        row = month_of(mart, plan, str(month))
        listed, amortized = total(rows["ListCost"]), row["amortized_cost"]
        assert row["covered_list_cost"] == listed
        assert row["effective_savings_rate"] == pytest.approx(1 - float(amortized) / float(listed))


def test_coverage_is_what_a_commitment_paid_of_the_machines_it_is_for(company: Home, charges: pl.DataFrame) -> None:
    mart = warehouse.mart(company, "fct_commitments")
    reserved = co.RESERVATION.commitment_id
    machines = charges.filter((pl.col("SkuMeter") == "BoxUsage:m5.4xlarge") & (pl.col("ChargeCategory") == "Usage"))
    for (month,), rows in machines.group_by("billing_month"):
        own = rows.filter(pl.col("CommitmentDiscountId") == reserved)
        wanted = float(total(own["ListCost"])) / float(total(rows["ListCost"]))
        assert 0 < wanted < 1
        assert month_of(mart, reserved, str(month))["coverage"] == pytest.approx(wanted)


def test_throughput_beyond_the_reservation_is_known_by_its_meter(company: Home, charges: pl.DataFrame) -> None:
    mart = warehouse.mart(company, "fct_commitments").filter(pl.col("identified_by") == "meter")
    rows = charges.filter(
        pl.col("SkuMeter").str.contains("Provisioned Managed") & pl.col("CommitmentDiscountId").is_null()
    )
    assert total(mart["purchased_cost"]) == total(rows["BilledCost"]) > 0
    assert set(mart["commitment_id"]) == set(rows["ResourceId"])
    assert mart["used_cost"].null_count() == mart["utilization"].null_count() == mart.height
    assert set(mart["usage_reason"]) == {"known by its meter alone"}


def test_people_and_the_organisation_stand_beside_the_bills(company: Home, truth: dict[str, Any]) -> None:
    mart = warehouse.mart(company, "fct_spend_category")
    found: dict[tuple[str, str, str, str], Decimal] = {
        (r["month"], r["category"], r["team"], r["billing_currency"]): r["effective_cost"]
        for r in mart.filter(pl.col("source") == "plan").to_dicts()
    }
    wanted: dict[tuple[str, str, str, str], Decimal] = {}
    for planted in truth["organisation_cost"]:
        key = (planted["month"], planted["category"], planted["team"] or "unallocated", planted["currency"])
        wanted[key] = wanted.get(key, Decimal(0)) + Decimal(planted["amount"])
    assert found == wanted
    for shares in mart.group_by("month", "billing_currency").agg(pl.col("share_of_month").sum()).to_dicts():
        assert shares["share_of_month"] == pytest.approx(1)


def test_machines_with_gpus_are_ai_with_all_their_parts_and_the_others_are_compute(
    company: Home, charges: pl.DataFrame
) -> None:
    measured = set(warehouse.dataset(company, "gpu_utilization")["resource_id"])
    compute = charges.filter(pl.col("ServiceCategory") == "Compute")
    has_gpu = pl.col("ResourceId").str.split("/").list.last().is_in(list(measured)).fill_null(False)
    assert set(compute.filter(has_gpu)["ServiceProviderName"]) == {co.AWS, co.AZURE, co.GCP}
    plain = compute.filter(~has_gpu)
    mart = warehouse.mart(company, "fct_spend_category").filter(pl.col("category") == "compute")
    for (currency,), rows in plain.group_by("BillingCurrency"):
        found = mart.filter(pl.col("billing_currency") == currency)
        assert total(found["effective_cost"]) == total(rows["EffectiveCost"])
        assert total(found["billed_cost"]) == total(rows["BilledCost"])


def _price_effects(charges: pl.DataFrame, model: str, every: str) -> dict[date, float]:
    """What a change of price made of a model's cost in each period, from the charges alone."""
    sums = (
        charges.filter(pl.col("x_Model") == model)
        .with_columns(period=pl.col("day").dt.truncate(every))
        .group_by("period", "x_TokenKind")
        .agg(pl.col("EffectiveCost").cast(pl.Float64).sum(), pl.col("ConsumedQuantity").cast(pl.Float64).sum())
        .to_dicts()
    )
    by_key = {(r["period"], r["x_TokenKind"]): (r["EffectiveCost"], r["ConsumedQuantity"]) for r in sums}
    found: dict[date, float] = {}
    for (period, kind), (cost, quantity) in by_key.items():
        before = by_key.get(((period - timedelta(days=1)).replace(day=1) if every == "1mo" else
                             period - timedelta(days=7), kind))  # fmt: skip
        if before:
            found[period] = found.get(period, 0) + cost - quantity * before[0] / before[1]
    return found


@pytest.mark.parametrize(("kind", "every", "when"), [
    ("month", "1mo", {date(2026, 7, 1), date(2026, 8, 1)}),
    ("week", "1w", {date(2026, 7, 27), date(2026, 8, 3)}),
])  # fmt: skip
def test_the_price_cut_is_a_price_effect_of_its_model_when_it_came_and_of_its_size(
    company: Home, truth: dict[str, Any], charges: pl.DataFrame, kind: str, every: str, when: set[date]
) -> None:
    planted = next(p for p in truth["price_cuts"] if p["date"] >= "2026-05")
    drivers = warehouse.mart(company, "fct_top_drivers").filter(pl.col("period_kind") == kind)
    of_model = drivers.filter(pl.col("model") == planted["model"])
    wanted = _price_effects(charges, planted["model"], every)
    found = {p: float(total(rows["price_effect"])) for (p,), rows in of_model.group_by("period_start")}
    compared = set(drivers["period_start"])
    assert found == pytest.approx({p: wanted.get(p, 0) for p in found}, abs=1e-6)
    assert {p for p, effect in wanted.items() if abs(effect) > 1 and p in compared} == when
    assert {p for p, effect in found.items() if abs(effect) > 1} == when
    assert all(found[p] < 0 for p in when)
    # In the last of them the new prices hold on every day: the unit prices are those of the price list.
    after = of_model.filter(pl.col("period_start") == max(when))
    for row in after.to_dicts():
        token_kind = row["sku"].split(" ")[0]
        assert row["current_price"] * 1e6 == pytest.approx(float(planted["per_1m_tokens_after"][token_kind]))
        assert row["change_kind"] == "continuing"


def test_the_largest_change_of_a_period_has_the_first_rank(company: Home) -> None:
    drivers = warehouse.mart(company, "fct_top_drivers")
    for _, rows in drivers.group_by("period_kind", "period_start", "billing_currency"):
        by_rank = rows.sort("driver_rank")
        assert by_rank["driver_rank"].to_list() == list(range(1, rows.height + 1))
        sizes = by_rank["cost_change"].abs().to_list()
        assert sizes == sorted(sizes, reverse=True)


def test_an_hour_costs_its_share_of_the_day_that_was_billed(company: Home, charges: pl.DataFrame) -> None:
    rates = warehouse.mart(company, "fct_spend_rate")
    assert set(rates["basis"]) == {"daily average", "period average"}
    assert rates["hour_start"].dt.date().min() == date(2026, 9, 1)
    assert rates["hour_start"].dt.date().max() == co.LAST_DAY
    day = date(2026, 10, 20)
    rows = charges.filter((pl.col("day") == day) & (pl.col("ServiceName") == "OpenAI API"))
    hour = rates.filter(
        (pl.col("hour_start").dt.date() == day)
        & (pl.col("hour_start").dt.hour() == 13)
        & (pl.col("service_name") == "OpenAI API")
    )
    assert float(total(hour["effective_cost_per_hour"])) == pytest.approx(float(total(rows["EffectiveCost"])) / 24)


def test_costs_are_told_in_the_groups_currency_at_the_rate_of_their_month(company: Home, truth: dict[str, Any]) -> None:
    mart = warehouse.mart(company, "fct_reporting_currency_cost")
    assert set(mart["reporting_currency"]) == {truth["reporting_currency"]["currency"]}
    assert mart["unconverted_reason"].null_count() == mart.height
    for (month, currency), rows in mart.group_by("month", "billing_currency"):
        if currency == "USD":
            assert total(rows["reporting_effective_cost"]) == total(rows["effective_cost"])
            assert total(rows["reporting_billed_cost"]) == total(rows["billed_cost"])
            continue
        rate = max((r for r in truth["reporting_currency"]["rates"] if r["since"][:7] <= str(month)),
                   key=lambda r: r["since"])  # fmt: skip
        assert set(rows["rate"]) == {Decimal(rate["rate"])}
        assert set(rows["rate_valid_from"]) == {date.fromisoformat(rate["since"])}
        wanted = float(total(rows["effective_cost"])) * float(rate["rate"])
        assert float(total(rows["reporting_effective_cost"])) == pytest.approx(wanted)
