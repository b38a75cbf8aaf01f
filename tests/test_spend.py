"""Sums of spend, and the five figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from finops_lib.analysis.roi import roi
from finops_lib.analysis.spend import (
    company_budget,
    cost_per_1m_tokens,
    daily_history,
    days_ahead,
    headline_figures,
    monthly_cost,
    share_allocated,
    top_drivers,
)

MONEY = pl.Decimal(38, 18)
ESTIMATES = ("estimated_cost", "estimated_margin", "spread_cost", "standing_cost")


def rows(columns: str, *found: tuple[Any, ...]) -> pl.DataFrame:
    """A frame from rows; columns of money are exact decimals, dates are dates."""
    names = columns.split()
    money = {n: MONEY for n in names if n.endswith(("cost", "amount", "benefit", "low", "high"))}
    frame = pl.DataFrame(
        [dict(zip(names, row, strict=True)) for row in found], schema=dict.fromkeys(names), strict=False
    )
    dates = [pl.col("charge_date").cast(pl.String).str.to_date()] if "charge_date" in names else []
    nothing = [pl.lit(0).cast(MONEY).alias(n) for n in ESTIMATES if n not in names]
    return frame.with_columns(*(pl.col(n).cast(pl.String).cast(t) for n, t in money.items()), *dates, *nothing)


DAILY = rows(
    "charge_date service_name billing_currency billed_cost effective_cost contracted_cost list_cost",
    ("2026-09-01", "GPU", "USD", "10", "100", "110", "120"),
    ("2026-09-25", "GPU", "USD", "0", "40", "50", "60"),
    ("2026-09-26", "GPU", "USD", "0", "1000", "1000", "1000"),
    ("2026-09-02", "Storage", "USD", "1", "5", "5", "5"),
    ("2026-09-02", "Search", "USD", "1", "20", "20", "20"),
    ("2026-10-01", "GPU", "USD", "0", "90", "90", "90"),
    ("2026-10-25", "Tokens", "USD", "30", "30.000000000000000001", "30", "30"),
    ("2026-10-25", "Storage", "USD", "1", "7", "5", "5"),
    ("2026-10-02", "GPU", "EUR", "1", "2", "3", "4"),
)
ALLOCATED = rows(
    "charge_date team allocation billing_currency effective_cost",
    ("2026-10-01", "search", "direct", "USD", "60"),
    ("2026-10-01", "search", "shared", "USD", "20"),
    ("2026-10-02", "unallocated", "unallocated", "USD", "20"),
    ("2026-10-26", "fraud", "direct", "USD", "20"),
    ("2026-10-01", "search", "direct", "EUR", "5"),
)
TOKENS = rows(
    "month model billing_currency tokens effective_cost",
    ("2026-10", "small", "USD", 3_000_000, "3"),
    ("2026-10", "large", "USD", 1_000_000, "9"),
    ("2026-10", "large", "USD", 0, "500"),
    ("2026-10", "large", "EUR", 500_000, "2"),
)
BUDGETS = "month team product use_case service_name lifecycle billing_currency budget_amount actual_cost expected_cost"
BUDGETS += " expected_low expected_high"
TWO_TEAMS = (
    ("2026-10", "search", None, None, None, None, "USD", "100", "60", "90", "80", "95"),
    ("2026-10", "fraud", None, None, None, None, "USD", "50", "40", "60", "50", "70"),
    ("2026-10", "fraud", "app", None, None, None, "USD", "5", "5", "5", "5", "5"),
    ("2026-11", "fraud", None, None, None, None, "USD", "50", "0", None, None, None),
)


def test_months_and_currencies_are_summed_apart() -> None:
    found = monthly_cost(DAILY).select("month", "billing_currency", "billed_cost", "effective_cost", "list_cost").rows()
    assert found == [
        ("2026-09", "USD", Decimal(12), Decimal(1165), Decimal(1205)),
        ("2026-10", "EUR", Decimal(1), Decimal(2), Decimal(4)),
        ("2026-10", "USD", Decimal(31), Decimal("127.000000000000000001"), Decimal(125)),
    ]


def test_months_can_be_split_by_any_column() -> None:
    found = monthly_cost(DAILY, by=["service_name"]).filter(month="2026-10", billing_currency="USD")
    assert found.select("service_name", "effective_cost").rows() == [
        ("GPU", Decimal(90)),
        ("Storage", Decimal(7)),
        ("Tokens", Decimal("30.000000000000000001")),
    ]


def test_a_share_of_a_pool_counts_as_allocated() -> None:
    assert share_allocated(ALLOCATED).rows() == [
        ("EUR", Decimal(5), Decimal(5), Decimal(0), 1, 0),
        ("USD", Decimal(120), Decimal(100), Decimal(20), 100 / 120, 20 / 120),
    ]


def test_nothing_spent_on_balance_has_no_share() -> None:
    refunded = rows(
        "team allocation billing_currency effective_cost",
        ("search", "direct", "USD", "5"),
        ("unallocated", "unallocated", "USD", "-5"),
    )
    assert share_allocated(refunded)["share"].to_list() == [None]


def test_a_million_tokens_cost_the_same_whoever_counts() -> None:
    assert cost_per_1m_tokens(TOKENS).select("billing_currency", "cost_per_1m_tokens").rows() == [
        ("EUR", 4),
        ("USD", 3),
    ]
    assert cost_per_1m_tokens(TOKENS, by=["model"]).select(
        "model", "billing_currency", "cost_per_1m_tokens"
    ).rows() == [
        ("large", "EUR", 4),
        ("large", "USD", 9),
        ("small", "USD", 1),
    ]


def test_an_open_month_is_compared_with_as_many_days_of_the_month_before() -> None:
    found = top_drivers(DAILY, data_through=date(2026, 10, 25), top=2)
    assert found.select("billing_currency", "service_name", "previous_cost", "effective_cost", "change").rows() == [
        ("EUR", "GPU", Decimal(0), Decimal(2), Decimal(2)),
        ("USD", "GPU", Decimal(140), Decimal(90), Decimal(-50)),
        ("USD", "Tokens", Decimal(0), Decimal("30.000000000000000001"), Decimal("30.000000000000000001")),
    ]


def test_a_closed_month_is_compared_with_the_whole_month_before() -> None:
    found = top_drivers(DAILY, data_through=date(2026, 10, 31), top=1).filter(billing_currency="USD")
    assert found.select("previous_cost", "effective_cost").rows() == [(Decimal(1140), Decimal(90))]


def test_the_history_to_forecast_ends_with_the_data_and_its_total_is_the_sum_of_its_teams() -> None:
    found = daily_history(ALLOCATED, data_through=date(2026, 10, 25))
    assert found.filter(scope="total", currency="USD").select(
        "scope_value", "charge_date", "effective_cost"
    ).rows() == [
        ("all", date(2026, 10, 1), Decimal(80)),
        ("all", date(2026, 10, 2), Decimal(20)),
    ]
    totals = found.group_by("scope", "currency").agg(pl.col("effective_cost").sum()).sort("scope", "currency")
    assert totals["effective_cost"].to_list() == [Decimal(5), Decimal(100), Decimal(5), Decimal(100)]
    assert "fraud" not in found["scope_value"]


def test_without_a_budget_for_everything_those_of_whole_teams_add_up() -> None:
    found = company_budget(rows(BUDGETS, *TWO_TEAMS), month="2026-10")
    assert found.rows() == [("USD", 2, *map(Decimal, (150, 100, 0, 150, 130, 165)), 1)]


def test_the_budget_for_everything_answers_alone() -> None:
    everything = ("2026-10", None, None, None, None, None, "USD", "1000", "110", "220", "200", "240")
    found = company_budget(rows(BUDGETS, *TWO_TEAMS, everything), month="2026-10")
    assert found.select("budgets", "budget_amount", "ratio").rows() == [(1, Decimal(1000), 0.22)]


def test_one_budget_without_a_forecast_leaves_the_sum_unknown() -> None:
    assert company_budget(rows(BUDGETS, *TWO_TEAMS), month="2026-11").select(
        "actual_cost", "expected_cost", "ratio"
    ).rows() == [(Decimal(0), None, None)]


RETURNS = roi(
    rows(
        "use_case month currency effective_cost benefit",
        ("triage", "2026-09", "USD", "100", "250"),
        ("search", "2026-09", "USD", "300", "350"),
        ("pilot", "2026-09", "EUR", "10", None),
    ),
    discount_rate=None,
)


def test_the_five_figures_and_their_sentences() -> None:
    found = headline_figures(
        DAILY,
        allocated=ALLOCATED,
        tokens=TOKENS,
        budgets=rows(BUDGETS, *TWO_TEAMS),
        returns=RETURNS,
        data_through=date(2026, 10, 25),
    )
    assert [(f.name, f.currency, f.unit, f.value) for f in found] == [
        ("Total spend", "EUR", "money", Decimal(2)),
        ("Total spend", "USD", "money", Decimal("1292.000000000000000001")),
        ("Share allocated", "EUR", "share", 1),
        ("Share allocated", "USD", "share", 100 / 120),
        ("Cost per 1M tokens", "EUR", "money per 1M tokens", 4),
        ("Cost per 1M tokens", "USD", "money per 1M tokens", 3),
        ("Forecast versus budget", "USD", "share", 1),
        ("ROI", "USD", "share", 0.5),
    ]
    assert [f.meaning for f in found if f.currency == "USD"] == [
        (
            "Effective cost of all charges in USD since 2026-09-01, with usage reported through 2026-10-25; "
            "credits, refunds and taxes included."
        ),
        "Part of effective cost that has a team, directly or as its share of a pool; USD 20.00 has none.",
        "Effective cost of a million tokens of any kind, over the 4 million billed in USD.",
        "2026-10 is expected to end at USD 150, beside a budget of USD 150; USD 100 is spent so far.",
        (
            "The measured use cases (2) brought USD 200 beyond their cost of USD 400, "
            "in the months in which both are known."
        ),
    ]


def test_a_figure_without_data_says_so_instead_of_saying_zero() -> None:
    found = headline_figures(
        DAILY.clear(),
        allocated=ALLOCATED.clear(),
        tokens=TOKENS.clear(),
        budgets=rows(BUDGETS, *TWO_TEAMS).clear(),
        returns=RETURNS.clear(),
        data_through=date(2026, 10, 25),
    )
    assert [(f.name, f.value) for f in found] == [
        (name, None)
        for name in ("Total spend", "Share allocated", "Cost per 1M tokens", "Forecast versus budget", "ROI")
    ]
    assert found[3].meaning == "No budget binds the whole organisation or whole teams in 2026-10."


def test_an_unforecast_month_says_what_is_spent() -> None:
    found = headline_figures(
        DAILY,
        allocated=ALLOCATED,
        tokens=TOKENS,
        budgets=rows(BUDGETS, *TWO_TEAMS),
        returns=RETURNS,
        data_through=date(2026, 11, 2),
    )
    budgeted = next(f for f in found if f.name == "Forecast versus budget")
    assert budgeted.value is None
    assert (
        budgeted.meaning
        == "USD 0 of the budget of USD 50.00 for 2026-11 is spent; the rest of the month has no forecast."
    )


@pytest.mark.parametrize(
    "frame",
    [monthly_cost(DAILY), share_allocated(ALLOCATED), company_budget(rows(BUDGETS, *TWO_TEAMS), month="2026-10")],
)
def test_amounts_stay_exact(frame: pl.DataFrame) -> None:
    amounts = [t for name, t in frame.schema.items() if name.endswith(("cost", "amount"))]
    assert amounts
    assert all(isinstance(t, pl.Decimal) and t.scale == 18 for t in amounts)


def lines(*found: tuple[date, str, str, float, float], name: str = "Fee") -> pl.DataFrame:
    """Charges longer than a day, day by day: day, team, currency, effective cost, the part of it that recurs."""
    return pl.DataFrame(
        [
            {
                "charge_date": day, "team": team, "billing_currency": currency, "service_provider_name": "P",
                "service_name": name, "charge_category": "Purchase", "effective_cost": cost, "standing_cost": standing,
            }
            for day, team, currency, cost, standing in found
        ]
    )  # fmt: skip


def october(first: int, last: int) -> list[date]:
    return [date(2026, 10, day) for day in range(first, last + 1)]


def ahead(*frames: pl.DataFrame) -> dict[tuple[str, str, date], tuple[float, float]]:
    found = days_ahead(pl.concat(frames), data_through=date(2026, 10, 25), until=date(2026, 11, 30))
    keys = ("scope_value", "currency", "charge_date", "known_cost", "standing_cost")
    return {(who, currency, day): (known, going) for who, currency, day, known, going in found.select(keys).iter_rows()}


def test_a_month_s_fee_goes_on_at_as_much_a_month_and_once_only_and_ended_charges_do_not() -> None:
    found = ahead(
        lines(*((day, "a", "USD", 10.0, 10.0) for day in october(1, 31))),
        lines(*((day, "a", "USD", 3.0, 0.0) for day in october(20, 28)), name="Once"),
        lines(*((day, "b", "USD", 7.0, 7.0) for day in october(1, 24)), name="Ended"),
        lines(*((day, "b", "EUR", 2.0, 2.0) for day in october(1, 25)), name="Tax to date"),
    )
    assert found["a", "USD", date(2026, 10, 28)] == (13, 13)
    assert found["a", "USD", date(2026, 10, 31)] == (10, 10)
    assert found["a", "USD", date(2026, 11, 1)] == (0, pytest.approx(310 / 30))
    assert found["b", "EUR", date(2026, 10, 26)] == (0, 2)
    assert found["b", "EUR", date(2026, 11, 30)] == (0, 2)
    assert not [key for key in found if key[:2] == ("b", "USD")]
    assert found["all", "USD", date(2026, 11, 1)] == found["a", "USD", date(2026, 11, 1)]


def test_a_fee_that_begins_in_days_to_come_is_known_and_not_added_twice() -> None:
    found = ahead(
        lines(*((day, "a", "USD", 10.0, 10.0) for day in october(1, 25))),
        lines(*((day, "a", "USD", 15.0, 15.0) for day in october(26, 27))),
    )
    assert found["a", "USD", date(2026, 10, 26)] == (15, 15)
    assert found["a", "USD", date(2026, 10, 28)] == (0, 10)
