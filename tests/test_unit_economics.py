"""Unit costs of the sample company, worked out again from the lake and from the prices that were planted."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.lake import Home
from finops_lib.money import EXACT
from finops_lib.samples import company as co

MILLION = 1_000_000
PLAN = 1e-5
"""How far the savings plan's price of an hour may be off: its last machine takes what whole steps of an hour leave."""


def total(amounts: Any) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))


def count(rows: pl.DataFrame, *columns: str) -> Decimal:
    """Sum of whole numbers, exact however large."""
    return total(Decimal(value) for column in columns for value in rows[column].drop_nulls())


def in_month(rows: pl.DataFrame, column: str, month: str) -> pl.DataFrame:
    return rows.filter(pl.col(column).dt.strftime("%Y-%m") == month)


@pytest.fixture(scope="module")
def truth(company: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def charges(company: Home) -> pl.DataFrame:
    return warehouse.dataset(company, "cost_and_usage")


@pytest.fixture(scope="module")
def usage(company: Home) -> pl.DataFrame:
    return warehouse.dataset(company, "ai_usage")


def price(vendor: str, model: str, kind: str) -> Decimal:
    [found] = [p for p in co.PRICES if p.vendor == vendor and p.model == model]
    return Decimal(getattr(found, kind))


def test_the_price_cut_is_a_price_effect_of_the_tokens_it_made_cheaper(
    company: Home, truth: dict[str, Any], charges: pl.DataFrame
) -> None:
    planted = next(p for p in truth["price_cuts"] if p["date"] >= "2026-05")
    billed = charges.filter((pl.col("ServiceProviderName") == "OpenAI") & pl.col("x_TokenKind").is_not_null())
    tokens: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    costs: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in billed.iter_rows(named=True):
        key = (f"{row['ChargePeriodStart']:%Y-%m}", row["x_Model"], row["x_TokenKind"])
        tokens[key] += row["ConsumedQuantity"]
        costs[key] += row["EffectiveCost"]
    changes = warehouse.mart(company, "fct_token_cost_change").filter(
        (pl.col("service_provider_name") == "OpenAI") & (pl.col("month") == "2026-08")
    )
    both = {m for month, m, _ in tokens if month == "2026-07"} & {m for month, m, _ in tokens if month == "2026-08"}
    before, after = (
        total(n for (month, model, _), n in tokens.items() if month == wanted and model in both)
        for wanted in ("2026-07", "2026-08")
    )
    assert set(changes.filter(pl.col("model_status") == "new model")["model"]) == {truth["unapproved_model"]["model"]}
    for kind, new_price in planted["per_1m_tokens_after"].items():
        old, new = ("2026-07", planted["model"], kind), ("2026-08", planted["model"], kind)
        [row] = changes.filter((pl.col("model") == planted["model"]) & (pl.col("token_kind") == kind)).to_dicts()
        cheaper = tokens[new] * (Decimal(new_price) / MILLION - costs[old] / tokens[old])
        assert float(row["price_effect"]) == pytest.approx(float(cheaper), rel=1e-9)
        assert row["price_effect"] < 0
        assert float(row["volume_effect"]) == pytest.approx(float(costs[old] * (after / before - 1)), rel=1e-9)
        assert row["change"] == costs[new] - costs[old]
        assert row["price_effect"] + row["volume_effect"] + row["mix_effect"] == row["change"]
    others = changes.filter((pl.col("model") != planted["model"]) & (pl.col("model_status") == "continuing"))
    assert others.height > 0
    assert [e for e in others["price_effect"] if abs(e) > Decimal("1e-9")] == []


@pytest.mark.parametrize(
    ("vendor", "delivered", "model"),
    [(co.OPENAI, "gpt-4o-2024-08-06", "gpt-4o"), (co.ANTHROPIC, "claude-sonnet-4-20250514", "claude-sonnet-4")],
)
def test_caching_saved_what_the_same_tokens_would_have_cost_uncached(
    company: Home, usage: pl.DataFrame, vendor: str, delivered: str, model: str
) -> None:
    used = in_month(usage, "usage_start", "2026-09").filter(
        (pl.col("vendor") == vendor) & (pl.col("model") == model) & (pl.col("service_tier").fill_null("") != "batch")
    )
    uncached = price(vendor, delivered, "input_uncached")
    read = count(used, "cache_read_tokens") * (uncached - price(vendor, delivered, "cache_read")) / MILLION
    written = count(used, "cache_write_5m_tokens")
    written = written * (price(vendor, delivered, "cache_write_5m") - uncached) / MILLION
    rows = warehouse.mart(company, "fct_token_efficiency").filter(
        (pl.col("month") == "2026-09") & (pl.col("service_provider_name") == vendor) & (pl.col("model") == model)
    )
    billed = rows.filter(pl.col("token_basis") == "billed")
    assert read > 0
    assert float(total(billed["cache_read_saving"].drop_nulls())) == pytest.approx(float(read), rel=1e-9)
    assert float(total(billed["cache_saving"].drop_nulls())) == pytest.approx(float(read - written), rel=1e-9)
    assert billed["cache_cost_without_price"].null_count() == billed.height
    everything = ("input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
    share = count(used, "cache_read_tokens") / count(used, *everything)
    for basis in ("billed", "counted"):
        side = rows.filter(pl.col("token_basis") == basis)
        whole = count(side, "cache_read_tokens", "uncached_tokens", "cache_write_tokens")
        assert count(side, "cache_read_tokens") / whole == share


def test_the_estimate_of_a_million_tokens_is_their_list_price(company: Home, usage: pl.DataFrame) -> None:
    rows = warehouse.mart(company, "fct_token_estimated_cost")
    assert count(rows, "tokens") == count(usage, "total_tokens")
    assert total(rows["estimated_cost"].drop_nulls()) == total(usage["estimated_cost"].drop_nulls())
    embeddings = rows.filter(pl.col("model") == "text-embedding-3-small")
    assert embeddings["estimated_cost_per_1m_tokens"].to_list() == pytest.approx([0.02] * embeddings.height)
    assert set(rows["price_coverage"]) == {1.0}


def test_the_runaway_key_breaks_the_line_of_its_use_case_and_nothing_else_does(
    company: Home, truth: dict[str, Any]
) -> None:
    planted = truth["broken_line"]
    outcomes = warehouse.mart(company, "fct_use_case_value").filter(pl.col("accepted_unit_status") == "over")
    over = outcomes.select("use_case", "month", "accepted_unit_threshold").rows()
    assert over == [(planted["use_case"], planted["month"], Decimal(planted["threshold"]))]
    units = warehouse.mart(company, "fct_use_case_unit_cost")
    assert units.filter(pl.col("status") == "over").height == 0
    within = units.filter((pl.col("status") == "within") & (pl.col("use_case") == "shopping-assistant"))
    lines = {(row["month"], row["threshold"]) for row in within.iter_rows(named=True)}
    assert ("2026-07", Decimal("0.005")) in lines
    assert ("2026-08", Decimal("0.003")) in lines


def test_an_accepted_outcome_costs_what_was_allocated_to_its_use_case(company: Home) -> None:
    [reported] = in_month(warehouse.dataset(company, "outcome"), "period_start", "2026-09").filter(
        pl.col("use_case") == "ticket-resolution"
    ).to_dicts()  # fmt: skip
    # Its team's whole cost: the team has no other use case, so its shares of shared platforms are of this one.
    allocated = in_month(warehouse.mart(company, "fct_allocated_cost"), "charge_date", "2026-09").filter(
        pl.col("team") == "support-bot"
    )
    cost = {c: total(rows["effective_cost"]) for (c,), rows in allocated.group_by("billing_currency")}
    rate = max((since, rate) for since, rate in co.EUR_IN_USD if since <= date(2026, 9, 30))[1]
    whole = float(cost["USD"] + cost["EUR"] * rate)
    [row] = warehouse.mart(company, "fct_use_case_value").filter(
        (pl.col("use_case") == "ticket-resolution") & (pl.col("month") == "2026-09")
    ).to_dicts()  # fmt: skip
    accepted, units = reported["accepted_units"], reported["units"]
    assert row["cost_per_accepted_unit"] == pytest.approx(whole / accepted, rel=1e-12)
    assert float(row["rework_cost"]) == pytest.approx(whole * (units - accepted) / units, rel=1e-12)
    assert (row["accepted_unit_reason"], row["accepted_unit_status"]) == (None, "within")


def test_a_request_costs_the_bill_of_the_models_that_count_their_requests(
    company: Home, charges: pl.DataFrame, usage: pl.DataFrame
) -> None:
    projects = ["proj_voice_pilot", "proj_voice_prod"]
    billed = in_month(charges, "ChargePeriodStart", "2026-09").filter(
        pl.col("SubAccountId").is_in(projects) & pl.col("x_TokenKind").is_not_null()
    )
    counted = in_month(usage, "usage_start", "2026-09").filter(pl.col("project_id").is_in(projects))
    requests = count(counted, "requests")
    [row] = warehouse.mart(company, "fct_use_case_unit_cost").filter(
        (pl.col("month") == "2026-09") & (pl.col("use_case") == "voice-support") & (pl.col("unit") == "request")
        & (pl.col("billing_currency") == "USD")
    ).to_dicts()  # fmt: skip
    assert row["quantity"] == requests > 0
    assert row["covered_cost"] == total(billed["EffectiveCost"])
    assert row["cost_per_unit"] == pytest.approx(float(row["covered_cost"] / requests), rel=1e-12)
    assert row["coverage"] == pytest.approx(float(row["covered_cost"] / row["effective_cost"]), rel=1e-12)


def test_the_parts_of_serving_are_those_of_the_bill(company: Home, charges: pl.DataFrame) -> None:
    parts = warehouse.mart(company, "fct_inference_component_cost")
    found = {
        (component, currency): total(rows["effective_cost"])
        for (component, currency), rows in parts.group_by("component", "billing_currency")
    }
    functions = charges.filter(pl.col("ServiceName") == "AWS Lambda")
    assert found["serverless", "USD"] == total(functions["EffectiveCost"])
    model = charges.filter(pl.col("ServiceSubcategory") == "Generative AI")
    for currency in ("USD", "EUR"):
        rows = model.filter(pl.col("BillingCurrency") == currency)
        assert found["model", currency] == total(rows["EffectiveCost"]), currency
    units = parts.filter(pl.col("component") == "model", pl.col("billing_currency") == "EUR")
    provisioned = model.filter(
        pl.col("SkuMeter").str.contains("Provisioned") & (pl.col("BillingCurrency") == "EUR")
    )  # fmt: skip
    assert total(units.filter(pl.col("basis") == "capacity")["effective_cost"]) == total(provisioned["EffectiveCost"])


def test_data_to_the_internet_is_what_the_bill_measured(company: Home, charges: pl.DataFrame) -> None:
    moved = charges.filter((pl.col("SkuMeter") == "DataTransfer-Out-Bytes") & (pl.col("ChargeCategory") == "Usage"))
    rows = warehouse.mart(company, "fct_data_transfer")
    assert set(rows["direction"]) == {"to the internet"}
    assert total(rows["effective_cost"]) == total(moved["EffectiveCost"])
    assert sum(rows["gigabytes"]) == pytest.approx(float(total(moved["ConsumedQuantity"])), rel=1e-12)


def test_the_same_model_and_gpu_are_compared_across_vendors_in_one_currency(company: Home) -> None:
    offers = warehouse.mart(company, "fct_vendor_unit_cost").filter(pl.col("month") == "2026-09")
    rate = float(max((since, rate) for since, rate in co.EUR_IN_USD if since <= date(2026, 9, 30))[1])
    own, azure = price(co.OPENAI, "gpt-4.1-2025-04-14", "output"), price(co.AZURE, "gpt 4.1", "output")
    found = {
        row["service_provider_name"]: (row["unit_cost"], row["price_index"])
        for row in offers.filter((pl.col("item") == "gpt-4.1") & (pl.col("token_kind") == "output")).to_dicts()
    }
    assert found[co.OPENAI] == pytest.approx((float(own), 1), rel=1e-9)
    assert found[co.AZURE] == pytest.approx((float(azure), float(azure) * rate / float(own)), rel=1e-9)
    sonnet = offers.filter((pl.col("item") == "claude-sonnet-4") & (pl.col("token_kind") == "input_uncached"))
    assert sorted(sonnet["service_provider_name"]) == [co.AWS, co.ANTHROPIC]
    assert sonnet["price_index"].to_list() == pytest.approx([1, 1], rel=1e-9)

    gpus = offers.filter((pl.col("item") == "A100-40GB") & (pl.col("unit") == "gpu hour"))
    plan = co.MACHINES["p4d.24xlarge"]
    assert plan.covered_price is not None
    [committed] = gpus.filter(pl.col("terms") == "committed").to_dicts()
    [google] = gpus.filter(pl.col("service_provider_name") == co.GCP).to_dicts()
    cheapest = float(plan.covered_price) / plan.gpus
    whole_machine = sum(units * part for _, _, units, _, part in co.SKUS["a2-highgpu-1g"])
    assert (committed["unit_cost"], committed["price_index"]) == pytest.approx((cheapest, 1), rel=PLAN)
    assert google["unit_cost"] == pytest.approx(float(whole_machine), rel=1e-6)
    assert google["price_index"] == pytest.approx(float(whole_machine) / cheapest, rel=PLAN)


def test_a_gpu_breaks_even_at_its_hour_over_the_vendors_blended_price(company: Home, charges: pl.DataFrame) -> None:
    billed = in_month(charges, "ChargePeriodStart", "2026-09").filter(
        (pl.col("ServiceProviderName") == co.OPENAI) & (pl.col("x_Model") == "gpt-4o")
        & pl.col("x_TokenKind").is_not_null()
    )  # fmt: skip
    blended = float(total(billed["EffectiveCost"]) / total(billed["ConsumedQuantity"]))
    plan = co.MACHINES["p4d.24xlarge"]
    assert plan.covered_price is not None
    [row] = warehouse.mart(company, "fct_self_host_break_even").filter(
        (pl.col("month") == "2026-09") & (pl.col("service_provider_name") == co.OPENAI) & (pl.col("model") == "gpt-4o")
        & (pl.col("gpu_class") == "A100-40GB") & (pl.col("terms") == "committed")
    ).to_dicts()  # fmt: skip
    hour = float(plan.covered_price) / plan.gpus
    assert row["break_even_tokens_per_gpu_hour"] == pytest.approx(hour / blended, rel=PLAN)
    assert row["measured_tokens_per_gpu_hour"] is None  # the company serves no model of its own through a gateway
    assert row["reason"] == "no tokens of self-hosted models are counted beside these GPUs"
