"""What was spent, by whom, on what: sums of marts. No amount crosses a currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

MILLION = 1_000_000

SAME_COST = 1e-6
"""Two days cost the same where they differ by less than this part: shares of a charge are rounded."""

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
    Returns  billing_currency, effective_cost, allocated_cost, unallocated_cost, and both as share and
             unallocated_share of effective_cost (NULL where nothing was spent on balance).
    """
    cost, owned = pl.col("effective_cost"), pl.col("allocation") != "unallocated"
    return (
        allocated.group_by("billing_currency")
        .agg(cost.sum(), allocated_cost=cost.filter(owned).sum(), unallocated_cost=cost.filter(~owned).sum())
        .with_columns(
            share=ratio("allocated_cost", "effective_cost"),
            unallocated_share=ratio("unallocated_cost", "effective_cost"),
        )
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
    amounts = ("budget_amount", "actual_cost", "estimated_cost", "expected_cost", "expected_low", "expected_high")
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
    behind: str = "",
) -> list[Figure]:
    """The five numbers to know first, each currency apart, each with the sentence that says what it means.

    Reads    the marts fct_daily_cost, fct_allocated_cost, fct_token_unit_cost, fct_budget_status; what `roi` returns;
             `behind`: the sources that have not reported all days, in words.
    Returns  total spend, share allocated, cost per 1M tokens, forecast versus budget, ROI; one figure per currency, or
             one without a value where there is nothing to say it from.
    """
    month = f"{data_through:%Y-%m}"
    named: dict[str, tuple[str, Iterator[Figure], str]] = {
        "Total spend": ("money", _total_spend(daily, data_through, behind), "No charges have been delivered."),
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


def _total_spend(daily: pl.DataFrame, data_through: date, behind: str) -> Iterator[Figure]:
    first = daily.get_column("charge_date").min()
    cost, ahead = pl.col("effective_cost"), pl.col("charge_date") > data_through
    found = daily.group_by("billing_currency").agg(
        cost.sum(), pl.col("estimated_cost").sum(), known_future_cost=cost.filter(ahead).sum()
    )
    for row in _rows(found):
        currency = row["billing_currency"]
        more = f"; {behind}" if behind else ""
        if row["known_future_cost"]:
            more += f"; {_money(row['known_future_cost'], currency)} of it are of days still to come"
        if row["estimated_cost"]:
            more += f"; days not reported yet are estimated at {_money(row['estimated_cost'], currency)} more"
        yield Figure(
            name="Total spend",
            value=row["effective_cost"],
            unit="money",
            currency=currency,
            meaning=f"Effective cost of all charges in {currency} since {first!s}, with usage reported "
            f"through {data_through}{more}; credits, refunds and taxes included.",
        )


def _allocated(allocated: pl.DataFrame) -> Iterator[Figure]:
    for row in _rows(share_allocated(allocated)):
        money = _money(row["unallocated_cost"], row["billing_currency"])
        yield Figure(
            name="Share allocated",
            value=row["share"],
            unit="share",
            currency=row["billing_currency"],
            meaning=f"Part of effective cost that has a team, directly or as its share of a pool; {money} has none.",
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
            missing = _money(row["estimated_cost"], currency) if row["estimated_cost"] else None
            meaning = f"{month} is expected to end at {ending}, beside a budget of {budget}; {spent} is spent so far"
            meaning += f", and {missing} estimated for days not reported yet." if missing else "."
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
