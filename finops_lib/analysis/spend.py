"""What was spent, by whom, on what: sums of marts. No amount crosses a currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

MILLION = 1_000_000

COSTS = ("billed_cost", "effective_cost", "contracted_cost", "list_cost")


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


def daily_history(allocated: pl.DataFrame, *, data_through: date) -> pl.DataFrame:
    """The series to forecast: everything, and every team, each currency apart.

    Reads    the mart fct_allocated_cost; days after `data_through` are left out, since no provider has reported them
             whole.
    Returns  scope (total, team), scope_value (`all`, or the team), currency, charge_date, effective_cost; one row
             per day with charges.
    """
    daily = allocated.filter(pl.col("charge_date") <= data_through).select(
        "team", "charge_date", "effective_cost", currency="billing_currency"
    )
    scopes = {"total": pl.lit("all"), "team": pl.col("team")}
    keys = ["scope", "scope_value", "currency", "charge_date"]
    return pl.concat(
        daily.with_columns(scope=pl.lit(scope), scope_value=value).group_by(keys).agg(pl.col("effective_cost").sum())
        for scope, value in scopes.items()
    ).sort(keys)


def monthly_cost(daily: pl.DataFrame, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """Cost of each month.

    Reads    the mart fct_daily_cost.
    Returns  month, billing_currency, the columns of `by`, then billed, effective, contracted and list cost.
    """
    keys = ["month", "billing_currency", *by]
    return (
        daily.with_columns(month=pl.col("charge_date").dt.strftime("%Y-%m"))
        .group_by(keys)
        .agg(pl.col(COSTS).sum())
        .sort(keys)
    )


def share_allocated(allocated: pl.DataFrame) -> pl.DataFrame:
    """How much of the cost has an owner, directly or as its share of a pool.

    Reads    the mart fct_allocated_cost.
    Returns  billing_currency, effective_cost, allocated_cost, unallocated_cost (of no team), unregistered_cost (of a
             team that the plan's register does not know), and as part of effective_cost share (of allocated_cost) and
             ownerless_share (of the other two); NULL where nothing was spent on balance.
    """
    cost, kind = pl.col("effective_cost"), pl.col("allocation")
    return (
        allocated.group_by("billing_currency")
        .agg(
            cost.sum(),
            allocated_cost=cost.filter(kind.is_in(["direct", "shared"])).sum(),
            unallocated_cost=cost.filter(kind == "unallocated").sum(),
            unregistered_cost=cost.filter(kind == "unregistered").sum(),
        )
        .with_columns(ownerless_cost=pl.col("unallocated_cost") + pl.col("unregistered_cost"))
        .with_columns(
            share=ratio("allocated_cost", "effective_cost"),
            ownerless_share=ratio("ownerless_cost", "effective_cost"),
        )
        .drop("ownerless_cost")
        .sort("billing_currency")
    )


def cost_per_1m_tokens(token_unit_cost: pl.DataFrame, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """What a million tokens cost, all kinds of tokens and charges that count them.

    Reads    the mart fct_token_unit_cost; rows without tokens price nothing and are left out.
    Returns  the columns of `by`, billing_currency, tokens, effective_cost, cost_per_1m_tokens.
    """
    keys = [*by, "billing_currency"]
    return (
        token_unit_cost.filter(pl.col("tokens") > 0)
        .group_by(keys)
        .agg(pl.col("tokens", "effective_cost").sum())
        .with_columns(cost_per_1m_tokens=ratio("effective_cost", "tokens") * MILLION)
        .sort(keys)
    )


def top_drivers(daily: pl.DataFrame, *, data_through: date, by: str = "service_name", top: int = 5) -> pl.DataFrame:
    """What moved the bill most since the month before.

    Reads    the mart fct_daily_cost. The month of `data_through`, up to it, is compared with the month before: with as
             many days of it while the month is open, with all of it on the month's last day.
    Returns  billing_currency, the column `by`, previous_cost, effective_cost, change; the `top` largest changes of each
             currency, up or down, largest first. What is in one month only cost 0 in the other.
    """
    day = pl.col("charge_date")
    start = data_through.replace(day=1)
    closed = (data_through + timedelta(days=1)).month != data_through.month
    before = (start - timedelta(days=1)).replace(day=1)
    days = (start - before).days if closed else min(data_through.day, (start - before).days)
    periods = {
        "previous_cost": day.is_between(before, before + timedelta(days=days - 1)),
        "effective_cost": day.is_between(start, data_through),
    }
    cost = pl.col("effective_cost")
    return (
        daily.filter(pl.any_horizontal(*periods.values()))
        .group_by("billing_currency", by)
        .agg(cost.filter(inside).sum().alias(name) for name, inside in periods.items())
        .with_columns(change=cost - pl.col("previous_cost"))
        .sort("billing_currency", pl.col("change").abs(), by, descending=[False, True, False])
        .group_by("billing_currency", maintain_order=True)
        .head(top)
    )


def company_budget(budgets: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """What the whole organisation may spend in a month, and is expected to.

    Reads    the mart fct_budget_status.
    Returns  billing_currency, budgets (how many were added up), budget_amount, actual_cost, expected_cost,
             expected_low, expected_high (adding the bounds of budgets and days, hence wider than 80 %), ratio =
             expected / budget. The budget that binds everything answers; where there is none, the budgets of whole
             teams are added up. Narrower ones overlap and are never added. NULL where one of them has no forecast.
    """
    whole = budgets.filter(
        pl.col("month") == month,
        pl.all_horizontal(pl.col("product", "use_case", "service_name", "lifecycle").is_null()),
    )
    everything = pl.col("team").is_null()
    amounts = ("budget_amount", "actual_cost", "expected_cost", "expected_low", "expected_high")
    return (
        whole.filter(everything | ~everything.any().over("billing_currency"))
        .group_by("billing_currency")
        .agg(
            pl.len().cast(pl.Int64).alias("budgets"),
            *(pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name) for name in amounts),
        )
        .with_columns(ratio=ratio("expected_cost", "budget_amount"))
        .sort("billing_currency")
    )


def headline_figures(
    daily: pl.DataFrame,
    *,
    allocated: pl.DataFrame,
    tokens: pl.DataFrame,
    budgets: pl.DataFrame,
    returns: pl.DataFrame,
    data_through: date,
) -> list[Figure]:
    """The five numbers to know first, each currency apart, each with the sentence that says what it means.

    Reads    the marts fct_daily_cost, fct_allocated_cost, fct_token_unit_cost, fct_budget_status; what `roi` returns.
    Returns  total spend, share allocated, cost per 1M tokens, forecast versus budget, ROI; one figure per currency, or
             one without a value where there is nothing to say it from.
    """
    month = f"{data_through:%Y-%m}"
    named: dict[str, tuple[str, Iterator[Figure], str]] = {
        "Total spend": ("money", _total_spend(daily, data_through), "No charges have been delivered."),
        "Share allocated": ("share", _allocated(allocated), "No charges have been delivered."),
        "Cost per 1M tokens": ("money per 1M tokens", _token_price(tokens), "No charge counts tokens."),
        "Forecast versus budget": (
            "share",
            _budgeted(company_budget(budgets, month=month), month),
            f"No budget binds the whole organisation or whole teams in {month}.",
        ),
        "ROI": ("share", _returned(returns), "No use case has a month with both a cost and a benefit."),
    }
    figures: list[Figure] = []
    for name, (unit, found, otherwise) in named.items():
        figures += list(found) or [Figure(name=name, value=None, unit=unit, currency=None, meaning=otherwise)]
    return figures


def _total_spend(daily: pl.DataFrame, data_through: date) -> Iterator[Figure]:
    first = daily.get_column("charge_date").min()
    for row in _rows(daily.group_by("billing_currency").agg(pl.col("effective_cost").sum())):
        yield Figure(
            name="Total spend",
            value=row["effective_cost"],
            unit="money",
            currency=row["billing_currency"],
            meaning=f"Effective cost of all charges in {row['billing_currency']} since {first!s}, with usage reported "
            f"through {data_through}; credits, refunds and taxes included.",
        )


def _allocated(allocated: pl.DataFrame) -> Iterator[Figure]:
    for row in _rows(share_allocated(allocated)):
        money = _money(row["unallocated_cost"], row["billing_currency"])
        unregistered = ""
        if row["unregistered_cost"]:
            of_others = _money(row["unregistered_cost"], row["billing_currency"])
            unregistered = f", and {of_others} is of teams that the plan does not register"
        yield Figure(
            name="Share allocated",
            value=row["share"],
            unit="share",
            currency=row["billing_currency"],
            meaning=f"Part of effective cost that has a team, directly or as its share of a pool; {money} has none"
            f"{unregistered}.",
        )


def _token_price(tokens: pl.DataFrame) -> Iterator[Figure]:
    for row in _rows(cost_per_1m_tokens(tokens)):
        yield Figure(
            name="Cost per 1M tokens",
            value=row["cost_per_1m_tokens"],
            unit="money per 1M tokens",
            currency=row["billing_currency"],
            meaning=f"Effective cost of a million tokens of any kind, over the {row['tokens'] / MILLION:,.0f} million "
            f"billed in {row['billing_currency']}.",
        )


def _budgeted(status: pl.DataFrame, month: str) -> Iterator[Figure]:
    for row in _rows(status):
        currency = row["billing_currency"]
        budget, spent = _money(row["budget_amount"], currency), _money(row["actual_cost"], currency)
        if row["expected_cost"] is None:
            meaning = f"{spent} of the budget of {budget} for {month} is spent; the rest of the month has no forecast."
        else:
            ending = _money(row["expected_cost"], currency)
            meaning = f"{month} is expected to end at {ending}, beside a budget of {budget}; {spent} is spent so far."
        yield Figure(
            name="Forecast versus budget",
            value=row["ratio"],
            unit="share",
            currency=currency,
            meaning=meaning,
        )


def _returned(returns: pl.DataFrame) -> Iterator[Figure]:
    measured = returns.filter(pl.col("months") > 0)
    for row in _rows(
        measured.group_by(billing_currency="currency")
        .agg(pl.col("net", "cost").sum(), use_cases=pl.len())
        .with_columns(roi=ratio("net", "cost"))
    ):
        currency = row["billing_currency"]
        yield Figure(
            name="ROI",
            value=row["roi"],
            unit="share",
            currency=currency,
            meaning=f"The measured use cases ({row['use_cases']}) brought {_money(row['net'], currency)} beyond their "
            f"cost of {_money(row['cost'], currency)}, in the months in which both are known.",
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
