"""What was spent, by whom, on what: sums of marts. No amount crosses a currency."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

SAME_COST = 1e-6
"""Two days cost the same where they differ by less than this part: shares of a charge are rounded."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number that a sentence explains."""

    name: str
    value: Decimal | float | None
    """None where it is not known; then `meaning` says why."""
    unit: str
    """money, money per 1M tokens, or share (1 is all)."""
    currency: str | None
    meaning: str
    of: str | None = None
    """What a share is a share of, where its name and currency do not tell."""


def daily_history(allocated: pl.DataFrame, *, data_through: date) -> pl.DataFrame:
    """What each day cost: everything, and every team, each currency apart.

    Reads    the mart fct_allocated_cost; days after `data_through` are left out, since no provider has reported them.
    Returns  scope (total, team), scope_value (`all`, or the team), currency, charge_date, effective_cost (reported),
             estimated_cost, estimated_margin, spread_cost (part of the first two that charges longer than a day cost);
             one row per day with charges or estimates.
    """
    amounts = ("effective_cost", "estimated_cost", "estimated_margin", "spread_cost")
    return _by_series(allocated.filter(pl.col("charge_date") <= data_through), amounts)


def days_ahead(allocated: pl.DataFrame, *, data_through: date, until: date) -> pl.DataFrame:
    """What is known of the days to come, and what goes on: the cost of charges longer than a day.

    Reads    the mart fct_allocated_cost.
    Returns  scope, scope_value, currency, charge_date, known_cost (billed already for the day), standing_cost (known,
             or going on: what recurs of each provider's service costs on as it does on `data_through`, or, where that
             is a whole month's charge, as much a month; what has ended by then, or comes once, does not go on).
    """
    line = ["team", "currency", "service_provider_name", "service_name", "charge_category"]
    day, cost = pl.col("charge_date"), pl.col("standing_cost").cast(pl.Float64)
    named = allocated.rename({"billing_currency": "currency"})
    known = _by_series(named.rename({"currency": "billing_currency"}).filter(day > data_through), ("effective_cost",))
    month = (data_through.replace(day=1), _month_end(data_through))
    standing = named.filter(day >= month[0]).group_by(*line, day).agg(cost.sum())
    # A charge is one, whoever owns its days.
    charge = [name for name in line if name != "team"]
    whole = (
        standing.filter(day.is_between(*month))
        .group_by(*charge, day)
        .agg(cost.sum())
        .group_by(charge)
        .agg(days=(cost != 0).sum(), spread=(cost.max() - cost.min()).abs() / cost.abs().max())
        .select(*charge, is_whole=(pl.col("days") == month[1].day) & (pl.col("spread") < SAME_COST))
    )
    calendar = pl.DataFrame({"charge_date": pl.date_range(data_through + timedelta(days=1), until, eager=True)})
    as_much_a_month = month[1].day / day.dt.days_in_month()
    goes_on = (
        standing.filter(day == data_through)
        .drop("charge_date")
        .join(whole, on=charge)
        .join(calendar, how="cross")
        .select(*line, day, standing_cost=cost * pl.when("is_whole").then(as_much_a_month).otherwise(1.0))
    )
    # What is known of a day counts where it is more: another charge of the line may have begun.
    both = goes_on.join(
        standing.filter(day > data_through).rename({"standing_cost": "known"}), on=[*line, "charge_date"], how="full",
        coalesce=True,
    ).with_columns(
        standing_cost=pl.when(pl.col("known").abs() > pl.col("standing_cost").fill_null(0.0).abs())
        .then("known")
        .otherwise(pl.col("standing_cost").fill_null(0.0))
    )  # fmt: skip
    going = _by_series(both.rename({"currency": "billing_currency"}), ("standing_cost",))
    once = _by_series(
        named.filter(day > data_through)
        .with_columns(once=pl.col("effective_cost").cast(pl.Float64) - cost)
        .rename({"currency": "billing_currency"}),
        ("once",),
    )
    keys = ["scope", "scope_value", "currency", "charge_date"]
    return (
        going.join(known, on=keys, how="full", coalesce=True)
        .join(once, on=keys, how="left")
        .filter(day <= until)
        .select(
            *keys,
            known_cost=pl.col("effective_cost").cast(pl.Float64).fill_null(0.0),
            standing_cost=pl.col("standing_cost").fill_null(0.0) + pl.col("once").fill_null(0.0),
        )
        .sort(keys)
    )


def _by_series(allocated: pl.DataFrame, amounts: Sequence[str]) -> pl.DataFrame:
    """Amounts by day of everything and of every team, each currency apart."""
    daily = allocated.select("team", "charge_date", *amounts, currency="billing_currency")
    scopes = {"total": pl.lit("all"), "team": pl.col("team")}
    keys = ["scope", "scope_value", "currency", "charge_date"]
    return pl.concat(
        daily.with_columns(scope=pl.lit(scope), scope_value=value).group_by(keys).agg(pl.col(amounts).sum())
        for scope, value in scopes.items()
    ).sort(keys)


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def kpi(measured: pl.DataFrame, name: str) -> pl.DataFrame:
    """One KPI of the company, which every edition grades and none changes.

    Reads    fct_kpi.
    Returns  month, billing_currency, value, numerator, denominator; months that have a value.
    """
    return (
        measured.filter(pl.col("kpi") == name, pl.col("scope") == "company", pl.col("value").is_not_null())
        .select("month", "billing_currency", "value", "numerator", "denominator")
        .unique()
        .sort("month", "billing_currency")
    )


def headline_figures(
    monthly: pl.DataFrame,
    *,
    kpis: pl.DataFrame,
    budgets: pl.DataFrame,
    company: pl.DataFrame,
    data_through: date,
    behind: str = "",
) -> list[Figure]:
    """The numbers to know first, each currency apart, each with the sentence that says what it means.

    Reads    the marts fct_monthly_cost, fct_kpi and fct_company_budget, and one month of fct_company_return; `behind`:
             the sources that have not reported all days, in words.
    Returns  total spend, share allocated, cost per 1M tokens, forecast versus budget, ROI on bills and on all cost; one
             figure per currency, or one without a value where there is nothing to say it from.
    """
    month = f"{data_through:%Y-%m}"
    unmeasured = "No use case has a month with both a cost and a benefit."
    named: dict[str, tuple[str, Iterator[Figure], str]] = {
        "Total spend": ("money", _total_spend(monthly, month, data_through, behind), "No charges have been delivered."),
        "Share allocated": ("share", _allocated(kpis, month), "No charges have been delivered."),
        "Cost per 1M tokens": ("money per 1M tokens", _token_price(kpis, month), "No charge counts tokens."),
        "Forecast versus budget": (
            "share",
            _budgeted(budgets.filter(pl.col("month") == month), month),
            f"No budget binds the whole organisation or whole teams in {month}.",
        ),
        "ROI on bills": ("share", _returned(company, "bills"), unmeasured),
        "ROI on all cost": ("share", _returned(company, "all cost"), unmeasured),
    }
    figures: list[Figure] = []
    for name, (unit, found, otherwise) in named.items():
        figures += list(found) or [Figure(name=name, value=None, unit=unit, currency=None, meaning=otherwise)]
    return figures


def _total_spend(monthly: pl.DataFrame, month: str, data_through: date, behind: str) -> Iterator[Figure]:
    totals = ("month_cost", "month_estimated_cost", "month_known_future_cost")
    for row in _rows(monthly.filter(pl.col("month") == month).select("billing_currency", *totals).unique()):
        currency = row["billing_currency"]
        more = f"; {behind}" if behind else ""
        if row["month_known_future_cost"]:
            more += f"; {_money(row['month_known_future_cost'], currency)} of it are of days still to come"
        if row["month_estimated_cost"]:
            more += f"; days not reported yet are estimated at {_money(row['month_estimated_cost'], currency)} more"
        yield Figure(
            name="Total spend",
            value=row["month_cost"],
            unit="money",
            currency=currency,
            meaning=f"Effective cost of all charges in {currency} since {month}-01, with usage reported "
            f"through {data_through}{more}; credits, refunds and taxes included.",
        )


def _allocated(kpis: pl.DataFrame, month: str) -> Iterator[Figure]:
    shares, without, unknown = (
        kpi(kpis, name).filter(pl.col("month") == month)
        for name in ("spend_allocated", "spend_unallocated", "spend_unregistered")
    )
    nobody = dict(without.select("billing_currency", "numerator").iter_rows())
    others = dict(unknown.select("billing_currency", "numerator").iter_rows())
    for row in _rows(shares):
        currency = row["billing_currency"]
        money, unregistered = _money(nobody[currency], currency), ""
        if others.get(currency):
            of_others = _money(others[currency], currency)
            unregistered = f", and {of_others} is of teams that the plan does not register"
        yield Figure(
            name="Share allocated",
            value=row["value"],
            unit="share",
            currency=row["billing_currency"],
            meaning=f"Part of effective cost that has a team, directly or as its share of a pool; {money} has none"
            f"{unregistered}.",
        )


def _token_price(kpis: pl.DataFrame, month: str) -> Iterator[Figure]:
    for row in _rows(kpi(kpis, "cost_per_1m_tokens").filter(pl.col("month") == month)):
        yield Figure(
            name="Cost per 1M tokens",
            value=row["value"],
            unit="money per 1M tokens",
            currency=row["billing_currency"],
            meaning=f"Effective cost of a million tokens of any kind, over the {row['denominator']:,.0f} million "
            f"billed in {row['billing_currency']}.",
        )


def _budgeted(company: pl.DataFrame, month: str) -> Iterator[Figure]:
    for row in _rows(company):
        currency = row["billing_currency"]
        budget, spent = _money(row["budget_amount"], currency), _money(row["actual_cost"], currency)
        of_teams = row["binds"] == "teams"
        of_them = " for them" if of_teams else ""
        if row["expected_cost"] is None:
            meaning = (
                f"{spent} of the budget of {budget} for {month} is spent; the rest of the month has no expectation."
            )
        elif f"{row['data_through'] + timedelta(days=1):%Y-%m}" > month:
            meaning = f"{month} ended at {spent}{of_them}, beside a budget of {budget}."
        else:
            ending = _money(row["expected_cost"], currency)
            missing = _money(row["estimated_cost"], currency) if row["estimated_cost"] else None
            meaning = f"{month} is expected to end at {ending}{of_them}, beside a budget of {budget}; "
            meaning += f"{spent} is spent so far"
            meaning += f", and {missing} estimated for days not reported yet." if missing else "."
        yield Figure(
            name="Forecast versus budget",
            value=row["expected_ratio"],
            unit="share",
            currency=currency,
            meaning=f"{_added(row)}: {meaning}" if of_teams else meaning,
            of=f"of {currency} team budgets" if of_teams else f"of {currency} budget",
        )


def _added(row: dict[str, Any]) -> str:
    """How many team budgets were added up and what they cover, so that they are not taken for everything's."""
    added = f"{row['budgets']} team budget{'' if row['budgets'] == 1 else 's'}"
    if row["coverage"] is None:
        return added
    size = 100 * row["coverage"]
    # What is not all is never shown as 100 %.
    share = f"{math.floor(size * 10) / 10:.1f}" if 99 < size < 100 else f"{size:.0f}"
    return f"{added}, {share} % of {row['billing_currency']} spend"


def _returned(company: pl.DataFrame, basis: str) -> Iterator[Figure]:
    known = company.filter(pl.col("basis") == basis, pl.col("benefit").is_not_null())
    for row in _rows(known.rename({"currency": "billing_currency"})):
        currency = row["billing_currency"]
        benefit = f"{row['use_cases']} use case{'' if row['use_cases'] == 1 else 's'} brought "
        benefit += f"{_money(row['benefit'], currency)} by the end of {row['month']}"
        if row["cost"] is None:
            said = f"{benefit}; what {basis} came to is not known"
        elif basis == "bills":
            said = f"{benefit}, for {_money(row['cost'], currency)} of bills of theirs"
        else:
            parts = [("setup", row["setup_cost"]), ("people and organisation", row["organisation_cost"])]
            named = [f"{name} ({_money(amount, currency)})" for name, amount in parts if amount is not None]
            said = f"{benefit}, for {_money(row['cost'], currency)} of all that AI cost"
            said += f", {' and '.join(named)} included" if named else "; the plan states no setup and no people"
        yield Figure(
            name=f"ROI on {basis}",
            value=row["roi"],
            unit="share",
            currency=currency,
            meaning=said + (f". Left out: {row['left_out']}." if row["left_out"] else "."),
        )


def _rows(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    yield from frame.sort("billing_currency").iter_rows(named=True)


def _money(amount: Decimal, currency: str) -> str:
    if 0 < abs(amount) < Decimal("0.01"):
        return f"less than {currency} 0.01"
    return f"{currency} {amount:,.{0 if abs(amount) >= 100 or amount == 0 else 2}f}"


def ratio(part: str, whole: str) -> pl.Expr:
    """One column over another, as float; NULL where the whole is 0."""
    return pl.when(pl.col(whole) != 0).then(pl.col(part).cast(pl.Float64) / pl.col(whole).cast(pl.Float64))
