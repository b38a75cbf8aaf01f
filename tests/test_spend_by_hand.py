"""Commitments, spend rates and currencies on a lake made by hand: what the sample company's bills never hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from test_dbt import USAGE, Warehouse, at, built, charge, tokens


def of_commitment(day: str, commitment: str, status: str | None, billed: str, effective: str, **changed: Any) -> Any:
    """A charge of a commitment: its purchase where it has no status."""
    return charge(
        day, billed,
        **{"EffectiveCost": Decimal(effective), "CommitmentDiscountId": commitment, "CommitmentDiscountStatus": status,
           "ChargeCategory": "Usage" if status else "Purchase", "ChargeFrequency": "Usage-Based" if status else
           "Recurring", "SkuId": "p4", "CommitmentDiscountCategory": "Spend", **changed},
    )  # fmt: skip


def hourly(hour: str, cost: str) -> Any:
    start = at(hour)
    return charge(
        hour, cost, ChargePeriodEnd=start + timedelta(hours=1), BillingPeriodStart=start.replace(day=1, hour=0)
    )


PLAN, UNITS, RESERVED = "arn:aws:savingsplans::1:savingsplan/Abc", "1/7", "ri-9"
CHARGES = [
    # Paid once for September and October: 50 of 100 lie in each, 10 of September unused.
    of_commitment("2026-09-01", PLAN, None, "100", "0", ChargeFrequency="One-Time"),
    of_commitment("2026-09-02", PLAN, "Used", "0", "40", ListCost=Decimal(80), ContractedCost=Decimal(50)),
    of_commitment("2026-09-02", PLAN, "Unused", "0", "10", ListCost=Decimal(0), SkuId=None),
    of_commitment("2026-10-02", PLAN, "Used", "0", "50", ListCost=Decimal(75)),
    charge("2026-10-02", "25", SkuId="p4"),
    # A fee that is spread over nothing, beside usage at a lower price.
    of_commitment("2026-09-01", UNITS, None, "30", "30", SkuId="fee", ServiceProviderName="Google Cloud"),
    of_commitment("2026-09-02", UNITS, "Used", "10", "10", ListCost=Decimal(50), SkuId="core"),
    # A month whose usage carries 19 of the 20 it cost.
    of_commitment("2026-09-01", RESERVED, None, "20", "0", ChargePeriodEnd=at("2026-10-01"), SkuId="box"),
    of_commitment("2026-09-02", RESERVED, "Used", "0", "12", ListCost=Decimal(24), SkuId="box"),
    of_commitment("2026-09-02", RESERVED, "Unused", "0", "7", ListCost=Decimal(0), SkuId="box"),
    charge("2026-09-03", "6", ServiceCategory="AI and Machine Learning", ServiceName="Amazon Bedrock",
           SkuMeter="USE1-ProvisionedThroughput-ModelUnits", ResourceId="arn:aws:bedrock:::provisioned-model/x"),
    hourly("2026-10-31T10:00:00", "3"),
    hourly("2026-10-31T11:00:00", "5"),
    tokens("2026-10-30", "24", "p-search", "output", 1000),
    charge("2026-09-05", "10", BillingCurrency="EUR"),
    charge("2026-10-05", "10", BillingCurrency="EUR"),
    charge("2026-10-05", "7", BillingCurrency="CHF"),
]  # fmt: skip
COMPANIONS: dict[str, list[dict[str, Any]]] = {
    "contract_commitment": [
        {"ContractCommitmentId": "abc", "ContractId": "abc", "ContractCommitmentCategory": "Spend",
         "ContractCommitmentCost": Decimal(100), "BillingCurrency": "USD", "ContractCommitmentType": "Savings Plan",
         "ContractCommitmentPeriodStart": at("2026-09-01"), "ContractCommitmentPeriodEnd": at("2026-11-01"),
         "ContractPeriodStart": at("2026-09-01"), "ContractPeriodEnd": at("2026-11-01"),
         "ContractCommitmentPaymentModel": "All Upfront", "x_BillingAccountId": "payer"},
    ],
    "ai_usage": [
        {**USAGE, "usage_start": at("2026-10-30"), "usage_end": at("2026-10-31"), "model": "gpt-4o-mini",
         "requests": 9, "input_uncached_tokens": 1000, "total_tokens": 1000, "price_status": "priced",
         "estimated_cost": Decimal(24), "estimated_cost_currency": "USD"},
        {**USAGE, "usage_start": at("2026-10-31"), "usage_end": at("2026-10-31") + timedelta(hours=2),
         "model": "gpt-4o-mini", "requests": 3, "input_uncached_tokens": 400, "total_tokens": 400,
         "price_status": "priced", "estimated_cost": Decimal("0.8"), "estimated_cost_currency": "USD"},
        {**USAGE, "usage_start": at("2026-10-31"), "usage_end": at("2026-10-31") + timedelta(hours=1),
         "model": "gpt-next", "requests": 5, "input_uncached_tokens": 7, "total_tokens": 7, "price_status": "unpriced"},
    ],
    "assumption": [
        {"name": "reporting_currency", "value": Decimal(1), "currency": "USD", "owner": "cfo", "evidence": "group"},
        {"name": "exchange_rate", "value": Decimal("1.1"), "currency": "EUR", "to_currency": "USD", "owner": "cfo",
         "evidence": "bank", "valid_from": date(2026, 1, 1)},
        {"name": "exchange_rate", "value": Decimal("1.2"), "currency": "EUR", "to_currency": "USD", "owner": "cfo",
         "evidence": "bank", "valid_from": date(2026, 10, 15)},
    ],
    "organisation_cost": [
        {"month": "2026-10", "category": "people", "team": "Search", "amount": Decimal(50), "currency": "USD",
         "owner": "cfo", "evidence": "payroll"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    charges_and_plan = {"cost_and_usage": CHARGES, **COMPANIONS}
    return built(tmp_path_factory.mktemp("spend"), charges_and_plan)


def test_a_commitment_is_judged_over_its_term_else_over_its_month_else_not_at_all(lake: Warehouse) -> None:
    assert lake.ask(
        "select commitment_id, month, rule_scope, rule_status, rule_difference, rule_reason, term_end "
        "from fct_commitments order by all"
    ) == [
        (UNITS, "2026-09", "month", "not judged", None, "the bill spreads nothing", None),
        ("arn:aws:bedrock:::provisioned-model/x", "2026-09", "month", "not judged", None, "known by its meter alone",
         None),
        (PLAN, "2026-09", "term", "holds", Decimal(0), None, date(2026, 11, 1)),
        (PLAN, "2026-10", "term", "holds", Decimal(0), None, date(2026, 11, 1)),
        (RESERVED, "2026-09", "month", "broken", Decimal(-1), None, None),
    ]  # fmt: skip


def test_a_bill_that_breaks_the_rule_is_warned_of_and_the_marts_stand(lake: Warehouse) -> None:
    assert "WARN=1 ERROR=0 SKIP=0" in lake.output
    assert "assert_what_a_commitment_cost_is_what_its_usage_carries" in lake.output


def test_what_a_commitment_saves_is_told_where_its_parts_are_known(lake: Warehouse) -> None:
    # In October the plan covers 75 of the 100 that its SKU is worth at list prices.
    assert lake.ask(
        "select commitment_id, month, kind, purchased_cost, amortized_cost, used_cost, unused_cost, utilization, "
        "coverage, effective_savings_rate, break_even_utilization from fct_commitments order by all"
    ) == [
        (UNITS, "2026-09", "spend", Decimal(30), Decimal(40), None, None, None, 1.0, pytest.approx(0.2), None),
        ("arn:aws:bedrock:::provisioned-model/x", "2026-09", "provisioned throughput", Decimal(6), Decimal(6), None,
         None, None, None, None, None),
        (PLAN, "2026-09", "spend", Decimal(100), Decimal(50), Decimal(40), Decimal(10), 0.8, 1.0,
         pytest.approx(0.375), 0.5),
        (PLAN, "2026-10", "spend", Decimal(0), Decimal(50), Decimal(50), Decimal(0), 1.0, 0.75,
         pytest.approx(1 / 3), pytest.approx(2 / 3)),
        (RESERVED, "2026-09", "spend", Decimal(20), Decimal(19), Decimal(12), Decimal(7), pytest.approx(12 / 19), 1.0,
         pytest.approx(5 / 24), 0.5),
    ]  # fmt: skip


def test_an_hour_is_billed_averaged_or_estimated_and_says_which(lake: Warehouse) -> None:
    def hour(n: int, day: int = 31) -> datetime:
        return at(f"2026-10-{day}T{n:02}:00:00").replace(tzinfo=None)

    assert lake.ask(
        "select hour_start, service_name, basis, billing_currency, effective_cost_per_hour, unpriced_requests "
        "from fct_spend_rate where hour_start >= '2026-10-30 23:00:00' order by all"
    ) == [
        (hour(23, 30), "OpenAI API", "daily average", "USD", Decimal(1), 0),
        (hour(0), "OpenAI API", "estimated", "USD", Decimal("0.4"), 0),
        (hour(0), "OpenAI API", "estimated", None, None, 5),
        (hour(1), "OpenAI API", "estimated", "USD", Decimal("0.4"), 0),
        (hour(10), "Amazon EC2", "hourly", "USD", Decimal(3), 0),
        (hour(11), "Amazon EC2", "hourly", "USD", Decimal(5), 0),
    ]


def test_a_cost_without_a_rate_stays_in_its_own_currency_and_says_so(lake: Warehouse) -> None:
    assert lake.ask(
        "select month, billing_currency, sum(effective_cost), max(rate), sum(reporting_effective_cost), "
        "max(unconverted_reason) from fct_reporting_currency_cost where billing_currency <> 'USD' "
        "group by all order by all"
    ) == [
        ("2026-09", "EUR", Decimal(10), Decimal("1.1"), Decimal(11), None),
        ("2026-10", "CHF", Decimal(7), None, None, "the plan has no exchange rate of CHF and USD"),
        ("2026-10", "EUR", Decimal(10), Decimal("1.2"), Decimal(12), None),
    ]


def test_people_have_their_share_of_the_month(lake: Warehouse) -> None:
    [(amount, share)] = lake.ask(
        "select effective_cost, share_of_month from fct_spend_category where source = 'plan' and lower(team) = 'search'"
    )
    [(billed,)] = lake.ask(
        "select sum(effective_cost) from fct_daily_cost where charge_date >= '2026-10-01' and billing_currency = 'USD'"
    )
    assert (amount, share) == (Decimal(50), pytest.approx(50 / (50 + float(billed))))
