"""Sums of spend, and the five figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from finops_lib.analysis.spend import (
    daily_history,
    days_ahead,
    headline_figures,
    kpi,
)

MONEY = pl.Decimal(38, 18)
ESTIMATES = ("estimated_cost", "estimated_margin", "spread_cost", "standing_cost")


def rows(columns: str, *found: tuple[Any, ...]) -> pl.DataFrame:
    """A frame from rows; columns of money are exact decimals, dates are dates."""
    names = columns.split()
    money = {n: MONEY for n in names if n.endswith(("cost", "amount", "benefit", "low", "high", "numerator"))}
    frame = pl.DataFrame(
        [dict(zip(names, row, strict=True)) for row in found], schema=dict.fromkeys(names), strict=False
    )
    dates = [pl.col("charge_date").cast(pl.String).str.to_date()] if "charge_date" in names else []
    nothing = [pl.lit(0).cast(MONEY).alias(n) for n in ESTIMATES if n not in names]
    return frame.with_columns(*(pl.col(n).cast(pl.String).cast(t) for n, t in money.items()), *dates, *nothing)


MONTHLY = rows(
    "month service_name billing_currency effective_cost month_cost month_estimated_cost month_known_future_cost",
    ("2026-09", "GPU", "USD", "1140", "1165", "0", "0"),
    ("2026-10", "GPU", "USD", "90", "127.000000000000000001", "0", "0"),
    ("2026-10", "Tokens", "USD", "37.000000000000000001", "127.000000000000000001", "0", "0"),
    ("2026-10", "GPU", "EUR", "2", "2", "0", "0"),
)
ALLOCATED = rows(
    "charge_date team allocation billing_currency effective_cost",
    ("2026-10-01", "search", "direct", "USD", "60"),
    ("2026-10-01", "search", "shared", "USD", "20"),
    ("2026-10-02", "unallocated", "unallocated", "USD", "20"),
    ("2026-10-26", "fraud", "direct", "USD", "20"),
    ("2026-10-01", "search", "direct", "EUR", "5"),
)
KPIS = rows(
    "kpi edition month scope billing_currency value numerator denominator",
    ("spend_allocated", "2023", "2026-10", "company", "USD", 0.8, 80.0, 100.0),
    ("spend_allocated", "2026", "2026-10", "company", "USD", 0.8, 80.0, 100.0),
    ("spend_allocated", "2023", "2026-10", "company", "EUR", 1.0, 5.0, 5.0),
    ("spend_allocated", "2023", "2026-10", "team", "USD", 0.1, 1.0, 10.0),
    ("spend_allocated", "2023", "2026-09", "company", "USD", 0.2, 1.0, 5.0),
    ("spend_unallocated", "2023", "2026-10", "company", "USD", 0.2, 20.0, 100.0),
    ("spend_unallocated", "2023", "2026-10", "company", "EUR", 0.0, 0.0, 5.0),
    ("cost_per_1m_tokens", None, "2026-10", "company", "EUR", 4.0, 2.0, 0.5),
    ("cost_per_1m_tokens", None, "2026-10", "company", "USD", 3.0, 12.0, 4.0),
    ("cost_per_1m_tokens", None, "2026-10", "company", "GBP", None, None, None),
)
BUDGETS = "month billing_currency binds budgets budget_amount actual_cost estimated_cost expected_cost expected_ratio "
BUDGETS += "coverage data_through"
ON = date(2026, 10, 25)
COMPANY = rows(
    BUDGETS,
    ("2026-10", "USD", "everything", 1, "150", "100", "0", "150", 1.0, 1.0, ON),
    ("2026-10", "EUR", "teams", 4, "50", "40", "0", "45", 0.9, 0.92, ON),
    ("2026-11", "USD", "everything", 1, "50", "0", "0", None, None, None, ON),
    ("2026-11", "EUR", "teams", 1, "50", "0", "0", "45", 0.9, None, ON),
)


def test_a_kpi_is_the_companys_once_whatever_edition_grades_it() -> None:
    assert kpi(KPIS, "spend_allocated").select("month", "billing_currency", "value").rows() == [
        ("2026-09", "USD", 0.2),
        ("2026-10", "EUR", 1.0),
        ("2026-10", "USD", 0.8),
    ]
    assert kpi(KPIS, "cost_per_1m_tokens")["billing_currency"].to_list() == ["EUR", "USD"]


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


RETURNS = rows(
    "month currency basis use_cases benefit setup_cost organisation_cost cost roi left_out",
    ("2026-10", "USD", "bills", 2, "600", None, None, "400", 0.5, "setup, the benefit of unmeasured months"),
    ("2026-10", "USD", "all cost", 2, "600", "150", "250", "1000", -0.4, None),
    ("2026-10", "EUR", "bills", 1, "6", None, None, "4", 0.5, None),
    ("2026-10", "EUR", "all cost", 1, "6", None, None, None, None, "setup cost that no exchange rate converts"),
    ("2026-10", "GBP", "all cost", 0, None, None, None, "4", None, "the benefit of use cases that reported none"),
)


def test_the_figures_and_their_sentences() -> None:
    found = headline_figures(
        MONTHLY,
        kpis=KPIS,
        budgets=COMPANY,
        company=RETURNS,
        data_through=date(2026, 10, 25),
    )
    assert [(f.name, f.currency, f.unit, f.value) for f in found] == [
        ("Total spend", "EUR", "money", Decimal(2)),
        ("Total spend", "USD", "money", Decimal("127.000000000000000001")),
        ("Share allocated", "EUR", "share", 1.0),
        ("Share allocated", "USD", "share", 0.8),
        ("Cost per 1M tokens", "EUR", "money per 1M tokens", 4),
        ("Cost per 1M tokens", "USD", "money per 1M tokens", 3),
        ("Forecast versus budget", "EUR", "share", 0.9),
        ("Forecast versus budget", "USD", "share", 1),
        ("ROI on bills", "EUR", "share", 0.5),
        ("ROI on bills", "USD", "share", 0.5),
        ("ROI on all cost", "EUR", "share", None),
        ("ROI on all cost", "USD", "share", -0.4),
    ]
    assert [f.meaning for f in found if f.currency == "USD"] == [
        (
            "Effective cost of all charges in USD since 2026-10-01, with usage reported through 2026-10-25; "
            "credits, refunds and taxes included."
        ),
        "Part of effective cost that has a team, directly or as its share of a pool; USD 20.00 has none.",
        "Effective cost of a million tokens of any kind, over the 4 million billed in USD.",
        "2026-10 is expected to end at USD 150, beside a budget of USD 150; USD 100 is spent so far.",
        (
            "2 use cases brought USD 600 by the end of 2026-10, for USD 400 of bills of theirs. "
            "Left out: setup, the benefit of unmeasured months."
        ),
        (
            "2 use cases brought USD 600 by the end of 2026-10, for USD 1,000 of all that AI cost, "
            "setup (USD 150) and people and organisation (USD 250) included."
        ),
    ]
    assert [f.meaning for f in found if f.currency == "EUR"][-2:] == [
        "1 use case brought EUR 6.00 by the end of 2026-10, for EUR 4.00 of bills of theirs.",
        (
            "1 use case brought EUR 6.00 by the end of 2026-10; what all cost came to is not known. "
            "Left out: setup cost that no exchange rate converts."
        ),
    ]


def test_a_figure_without_data_says_so_instead_of_saying_zero() -> None:
    found = headline_figures(
        MONTHLY.clear(),
        kpis=KPIS.clear(),
        budgets=COMPANY.clear(),
        company=RETURNS.clear(),
        data_through=date(2026, 10, 25),
    )
    assert [(f.name, f.value) for f in found] == [
        (name, None)
        for name in (
            "Total spend",
            "Share allocated",
            "Cost per 1M tokens",
            "Forecast versus budget",
            "ROI on bills",
            "ROI on all cost",
        )
    ]
    assert found[3].meaning == "No budget binds the whole organisation or whole teams in 2026-10."


def budgeted(company: pl.DataFrame, *, data_through: date) -> dict[str | None, tuple[Any, str | None, str]]:
    found = headline_figures(MONTHLY, kpis=KPIS, budgets=company, company=RETURNS, data_through=data_through)
    return {f.currency: (f.value, f.of, f.meaning) for f in found if f.name == "Forecast versus budget"}


def test_a_sum_of_team_budgets_says_how_many_they_are_and_what_they_cover() -> None:
    assert budgeted(COMPANY, data_through=ON) == {
        "USD": (
            1.0,
            "of USD budget",
            "2026-10 is expected to end at USD 150, beside a budget of USD 150; USD 100 is spent so far.",
        ),
        "EUR": (
            0.9,
            "of EUR team budgets",
            "4 team budgets, 92 % of EUR spend: 2026-10 is expected to end at EUR 45.00 for them, beside a budget of "
            "EUR 50.00; EUR 40.00 is spent so far.",
        ),
    }


def test_a_month_without_an_expectation_says_what_is_spent() -> None:
    found = budgeted(COMPANY, data_through=date(2026, 11, 2))
    assert found["USD"] == (
        None,
        "of USD budget",
        "USD 0 of the budget of USD 50.00 for 2026-11 is spent; the rest of the month has no expectation.",
    )
    assert found["EUR"][2] == (
        "1 team budget: 2026-11 is expected to end at EUR 45.00 for them, beside a budget of EUR 50.00; "
        "EUR 0 is spent so far."
    )


@pytest.mark.parametrize(("coverage", "shown"), [(0.9996, "99.9 %"), (0.991, "99.1 %"), (1.0, "100 %"), (0.0, "0 %")])
def test_what_is_not_all_is_never_said_to_cover_100_percent(coverage: float, shown: str) -> None:
    company = COMPANY.filter(month="2026-10", billing_currency="EUR").with_columns(coverage=pl.lit(coverage))
    assert budgeted(company, data_through=ON)["EUR"][2].startswith(f"4 team budgets, {shown} of EUR spend: ")


def test_a_month_that_is_over_is_not_said_to_be_expected() -> None:
    over = COMPANY.filter(month="2026-10", billing_currency="USD").with_columns(data_through=date(2026, 10, 31))
    assert budgeted(over, data_through=date(2026, 10, 31))["USD"][2] == (
        "2026-10 ended at USD 100, beside a budget of USD 150."
    )


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
