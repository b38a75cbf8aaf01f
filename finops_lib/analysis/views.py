"""What a reader is shown: a mart's rows, added up for one question. Every view keeps currencies apart.

The numbers a chart's title or a report's figure states are columns here, so that neither computes anything.
A sum of values none of which is known is NULL, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from .spend import company_budget, cost_per_1m_tokens, monthly_cost, ratio, share_allocated

MONTHS = 18
"""Months of history that a monthly view goes back."""

HISTORY_DAYS = 92
"""Days of actual cost shown before a forecast: about the last quarter."""

EXPERIMENT_LIMIT = 0.30
"""What experiments may cost beside production; the gate in policy.py asks the same."""


class Assumed(NamedTuple):
    """What a return on investment rests on and no system measures."""

    discount_rate: Decimal | None
    setup_cost: dict[tuple[str, str], Decimal]
    """By use case and currency."""


def month_of(day: date) -> str:
    """The month of a day, as marts write it: `2026-10`."""
    return f"{day:%Y-%m}"


def is_open(month: str, *, data_date: date) -> bool:
    """Whether days of the month are still to come in the data."""
    return month_of(data_date + timedelta(days=1)) <= month


def currencies(daily: pl.DataFrame) -> list[str]:
    """The currencies of the bill, the one with most charges first.

    Reads    fct_daily_cost.
    """
    counted = daily.group_by("billing_currency").agg(pl.col("charge_count").sum())
    return counted.sort("charge_count", "billing_currency", descending=[True, False])["billing_currency"].to_list()


def spend(daily: pl.DataFrame, *, month: str, data_date: date) -> pl.DataFrame:
    """What each provider cost in each of the months up to `month`.

    Reads    fct_daily_cost.
    Returns  month, to_date (days are still to come), service_provider_name, billing_currency, billed_cost,
             effective_cost, month_cost (all providers), share of it, change of month_cost on the month before (NULL
             where the month is open or there is none before); newest month last, dearest provider first.
    """
    cost = pl.col("effective_cost")
    totals = monthly_cost(_up_to(daily, month)).select("month", "billing_currency", month_cost="effective_cost")
    before = totals.select(_next_month("month"), "billing_currency", before="month_cost")
    return (
        monthly_cost(_up_to(daily, month), by=["service_provider_name"])
        .join(totals.join(before, on=["month", "billing_currency"], how="left"), on=["month", "billing_currency"])
        .with_columns(to_date=_to_date(data_date), share=ratio("effective_cost", "month_cost"))
        .with_columns(change=pl.when(~pl.col("to_date")).then(ratio("month_cost", "before") - 1))
        .select(
            "month", "to_date", "service_provider_name", "billing_currency", "billed_cost", cost, "month_cost",
            "share", "change",
        )
        .sort("billing_currency", "month", cost, descending=[False, False, True])
    )  # fmt: skip


def services(daily: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """What each service cost in a month, under all four of FOCUS's costs.

    Reads    fct_daily_cost.
    Returns  service_provider_name, service_category, service_name, billing_currency, billed_cost, effective_cost,
             contracted_cost, list_cost; dearest first.
    """
    return (
        in_month(daily, month)
        .group_by("service_provider_name", "service_category", "service_name", "billing_currency")
        .agg(pl.col("billed_cost", "effective_cost", "contracted_cost", "list_cost").sum())
        .sort("billing_currency", "effective_cost", "service_name", descending=[False, True, False])
    )


def teams(allocated: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """What each team cost in a month, and how it came to be theirs.

    Reads    fct_allocated_cost.
    Returns  team, allocation (direct, shared, unallocated), billing_currency, effective_cost, team_cost, share (of
             the month's cost), month_cost, allocated_share (of the month's cost); dearest team first.
    """
    chosen = in_month(allocated, month)
    whole = share_allocated(chosen).select("billing_currency", month_cost="effective_cost", allocated_share="share")
    return (
        chosen.group_by("team", "allocation", "billing_currency")
        .agg(pl.col("effective_cost").sum())
        .with_columns(team_cost=pl.col("effective_cost").sum().over("team", "billing_currency"))
        .join(whole, on="billing_currency")
        .with_columns(share=ratio("team_cost", "month_cost"))
        .sort("billing_currency", "team_cost", "team", "allocation", descending=[False, True, False, False])
    )


def token_prices(tokens: pl.DataFrame, *, month: str, data_date: date) -> pl.DataFrame:
    """What a million tokens of each model cost in each of the months up to `month`, all kinds of token together.

    Reads    fct_token_unit_cost.
    Returns  month, to_date, service_provider_name, model, billing_currency, tokens, effective_cost,
             cost_per_1m_tokens, change of it on the month before, month_per_1m (all models), model_cost (all
             months); dearest model first, oldest month first.
    """
    grain = ["month", "service_provider_name", "model", "billing_currency"]
    known = _up_to(tokens, month)
    per_model = cost_per_1m_tokens(known, by=grain[:-1])
    before = per_model.select(_next_month("month"), *grain[1:], before="cost_per_1m_tokens")
    overall = cost_per_1m_tokens(known, by=["month"]).select(
        "month", "billing_currency", month_per_1m="cost_per_1m_tokens"
    )
    return (
        per_model.join(before, on=grain, how="left")
        .join(overall, on=["month", "billing_currency"])
        .with_columns(
            to_date=_to_date(data_date),
            change=ratio("cost_per_1m_tokens", "before") - 1,
            model_cost=pl.col("effective_cost").sum().over(grain[1:]),
        )
        .drop("before")
        .sort("billing_currency", "model_cost", "model", "month", descending=[False, True, False, False])
    )


def requests(inference: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """What a thousand requests to each model cost: as billed, and as the price book has it.

    Reads    fct_inference_unit_cost.
    Returns  service_provider_name, model, currency, requests, effective_cost, estimated_cost, unpriced_requests,
             billed_per_1k (over the requests that are on the bill), estimated_per_1k (over those with a price),
             each NULL where nothing is known; dearest per request first.
    """
    on_bill = pl.col("effective_cost").is_not_null() & pl.col("requests").is_not_null()
    priced = pl.col("requests") - pl.col("unpriced_requests")
    same_currency = pl.col("billing_currency").is_null() | (pl.col("billing_currency") == pl.col("estimated_currency"))
    return (
        in_month(inference, month)
        .filter(pl.col("requests").is_not_null())
        .with_columns(currency=pl.coalesce("billing_currency", "estimated_currency"))
        .group_by("service_provider_name", "model", "currency")
        .agg(
            _sum("requests"),
            _sum("effective_cost"),
            _sum_where("estimated_cost", same_currency),
            _sum("unpriced_requests"),
            billed_cost=_sum_where("effective_cost", on_bill),
            billed_requests=_sum_where("requests", on_bill),
            priced_requests=priced.filter(same_currency & pl.col("estimated_cost").is_not_null()).sum(),
        )
        .with_columns(
            billed_per_1k=1000 * ratio("billed_cost", "billed_requests"),
            estimated_per_1k=1000 * ratio("estimated_cost", "priced_requests"),
        )
        .drop("billed_cost", "billed_requests", "priced_requests")
        .sort(pl.coalesce("billed_per_1k", "estimated_per_1k"), "model", descending=[True, False], nulls_last=True)
    )


def lifecycles(lifecycle: pl.DataFrame, *, month: str, data_date: date) -> pl.DataFrame:
    """How the cost of each of the months up to `month` divides into experiment, production and unknown.

    Reads    fct_lifecycle_cost.
    Returns  month, to_date, lifecycle, billing_currency, effective_cost, month_cost, share, experiment_ratio
             (experiment over production), limit_share (share that experiments would have at `EXPERIMENT_LIMIT` of
             production); oldest month first.
    """
    keys, cost = ["month", "billing_currency"], pl.col("effective_cost")
    return (
        _up_to(lifecycle, month)
        .group_by("month", "lifecycle", "billing_currency")
        .agg(cost.sum())
        .with_columns(
            to_date=_to_date(data_date),
            month_cost=cost.sum().over(keys),
            experiment=cost.filter(pl.col("lifecycle") == "experiment").sum().over(keys),
            production=cost.filter(pl.col("lifecycle") == "production").sum().over(keys),
        )
        .with_columns(
            share=ratio("effective_cost", "month_cost"),
            experiment_ratio=ratio("experiment", "production"),
            limit_share=EXPERIMENT_LIMIT * ratio("production", "month_cost"),
        )
        .drop("experiment", "production")
        .sort("billing_currency", "month", "lifecycle")
    )


def evidence(lifecycle: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """How we know which cost is an experiment's and which is production's.

    Reads    fct_lifecycle_cost.
    Returns  lifecycle, evidence, billing_currency, effective_cost, charge_count; dearest first.
    """
    return (
        in_month(lifecycle, month)
        .group_by("lifecycle", "evidence", "billing_currency")
        .agg(pl.col("effective_cost", "charge_count").sum())
        .sort("billing_currency", "effective_cost", "evidence", descending=[False, True, False])
    )


def training_runs(runs: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """The training runs that started in a month, with what all of them and the unfinished of them cost.

    Reads    fct_training_run_cost.
    Returns  its rows of the month plus total_cost, lost_cost (runs that failed or were stopped; both per currency),
             dearest first, those without a price last.
    """
    lost = pl.col("effective_cost").filter(pl.col("status").is_in(["failed", "stopped"]))
    return (
        runs.filter(pl.col("started_at").dt.strftime("%Y-%m") == month)
        .with_columns(
            total_cost=pl.col("effective_cost").sum().over("billing_currency"),
            lost_cost=lost.sum().over("billing_currency"),
        )
        .sort("effective_cost", "run_id", descending=[True, False], nulls_last=True)
    )


def budgets(status: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """Every budget of a month beside what was spent and what is expected.

    Reads    fct_budget_status.
    Returns  its rows of the month plus low_ratio and high_ratio (ends of what is expected, over the budget); the
             fullest budget first.
    """
    return (
        status.filter(pl.col("month") == month)
        .with_columns(
            low_ratio=ratio("expected_low", "budget_amount"), high_ratio=ratio("expected_high", "budget_amount")
        )
        .sort(
            pl.max_horizontal("consumed_ratio", "expected_ratio"),
            "budget_name",
            descending=[True, False],
            nulls_last=True,
        )
    )


def forecast_path(forecast: pl.DataFrame, *, history: pl.DataFrame, status: pl.DataFrame) -> pl.DataFrame:
    """The days before a forecast and the days it covers, everything together, beside the budget per day.

    Reads    fct_forecast; `history`: fct_daily_cost; `status`: fct_budget_status.
    Returns  currency, charge_date, actual (reported; NULL where still to come), estimated (what is estimated of days
             not reported yet; NULL where there is nothing), expected, low, high (NULL where past),
             budget_per_day (the month's budget for everything over its days; NULL where there is none, since the
             budgets of some teams say nothing about all cost), data_through, model.
    """
    ahead = forecast.filter(pl.col("scope") == "total").select(
        "currency", "charge_date", "expected", "low", "high", "data_through", "model"
    )
    runs = ahead.group_by("currency").agg(pl.col("data_through", "model").first())
    past = (
        history.group_by("charge_date", currency="billing_currency")
        .agg(actual=pl.col("effective_cost").sum(), estimated=pl.col("estimated_cost").sum())
        .with_columns(estimated=pl.when(pl.col("estimated") != 0).then("estimated"))
        .join(runs, on="currency")
        .filter(
            pl.col("charge_date") <= pl.col("data_through"),
            pl.col("charge_date") > pl.col("data_through") - timedelta(days=HISTORY_DAYS),
        )
    )
    whole = status.filter(pl.col("team").is_null())
    allowed = [
        company_budget(whole, month=month).select("budget_amount", currency="billing_currency", month=pl.lit(month))
        for month in whole["month"].unique()
    ]
    return (
        pl.concat([past, ahead], how="diagonal")
        .with_columns(month=pl.col("charge_date").dt.strftime("%Y-%m"))
        .join(pl.concat([_NO_BUDGET, *allowed]), on=["currency", "month"], how="left")
        .with_columns(
            budget_per_day=pl.col("budget_amount").cast(pl.Float64) / pl.col("charge_date").dt.days_in_month()
        )
        .select(
            "currency",
            "charge_date",
            "actual",
            "estimated",
            "expected",
            "low",
            "high",
            "budget_per_day",
            "data_through",
            "model",
        )
        .sort("currency", "charge_date")
    )


def accuracy(measured: pl.DataFrame) -> pl.DataFrame:
    """How wrong the models were on everything together, the nearest horizon first.

    Reads    fct_forecast_accuracy.
    Returns  currency, model, horizon_days, folds, wape, bias, coverage, skill.
    """
    return (
        measured.filter(pl.col("scope") == "total")
        .select("currency", "model", "horizon_days", "folds", "wape", "bias", "coverage", "skill")
        .sort("currency", "horizon_days", "model")
    )


def assumed(assumption: pl.DataFrame) -> Assumed:
    """The organisation's discount rate and the setup costs of its use cases, as last stated.

    Reads    the dataset assumption.
    """
    latest = assumption.sort("valid_from", nulls_last=False)
    rates = latest.filter(pl.col("name") == "discount_rate", pl.col("use_case").is_null())["value"]
    setup = latest.filter(pl.col("name") == "setup_cost", pl.col("use_case").is_not_null())
    return Assumed(
        discount_rate=rates[-1] if len(rates) else None,
        setup_cost={(u, c): v for u, c, v in setup.select("use_case", "currency", "value").iter_rows()},
    )


def closest_calls(sensitivity: pl.DataFrame) -> pl.DataFrame:
    """The rows of the use case, one per currency, whose worth is nearest to turning over when an assumption is wrong.

    Reads    what `roi.sensitivity` returns.
    Returns  its rows of those use cases: the least worth compared with how far one assumption moves it.
    """
    use_case = ["use_case", "currency"]
    by_npv = pl.col("base_npv").is_not_null()
    base = pl.when(by_npv).then("base_npv").otherwise("base_roi")
    moved = pl.when(by_npv).then("npv").otherwise("roi")
    nearest = (
        sensitivity.group_by(use_case)
        .agg(distance=base.first().abs() / (moved - base).abs().max())
        .sort("currency", "distance", "use_case")
        .unique("currency", keep="first", maintain_order=True)
    )
    return sensitivity.join(nearest, on=use_case, how="semi", maintain_order="left")


def not_known(marts: Mapping[str, pl.DataFrame], *, month: str) -> pl.DataFrame:
    """Everything in a month that the figures cannot account for, so that nothing unknown hides.

    Reads    fct_allocated_cost, fct_lifecycle_cost, fct_token_unit_cost, fct_inference_unit_cost,
             fct_training_run_cost, fct_use_case_value and fct_budget_status.
    Returns  unknown (what), rows (how many), counted (what was counted), currency, effective_cost (NULL where no
             amount is known), remedy; only what there is.
    """
    allocated, lifecycle = in_month(marts["fct_allocated_cost"], month), in_month(marts["fct_lifecycle_cost"], month)
    tokens, inference = in_month(marts["fct_token_unit_cost"], month), in_month(marts["fct_inference_unit_cost"], month)
    value, status = (marts[m].filter(pl.col("month") == month) for m in ("fct_use_case_value", "fct_budget_status"))
    runs = training_runs(marts["fct_training_run_cost"], month=month)
    unbilled = pl.col("requests").is_not_null() & pl.col("effective_cost").is_null()
    uncounted = pl.col("requests").is_null() & pl.col("effective_cost").is_not_null()
    parts = [
        _unknown(
            allocated.filter(pl.col("allocation") == "unallocated"),
            "Cost without a team", "charges", "plan/tag_rule.csv", rows=pl.col("charge_count").sum(),
            currency="billing_currency",
        ),
        _unknown(
            lifecycle.filter(pl.col("lifecycle") == "unknown"),
            "Cost that is neither experiment nor production", "charges", "plan/lifecycle_rule.csv",
            rows=pl.col("charge_count").sum(), currency="billing_currency",
        ),
        _unknown(
            tokens.filter(pl.col("model") == "unknown"),
            "Token cost without a model", "mart rows", "the vendor's usage export",
            currency="billing_currency",
        ),
        _unknown(
            inference.filter(pl.col("unpriced_requests") > 0).with_columns(effective_cost=_NO_AMOUNT),
            "Requests whose model and day have no price", "requests", "the price book (DECISIONS.md)",
            rows=pl.col("unpriced_requests").sum(), currency="estimated_currency",
        ),
        _unknown(
            inference.filter(unbilled).with_columns(effective_cost=_NO_AMOUNT),
            "Requests that are on no bill", "requests", "the vendor's cost export for the same days",
            rows=pl.col("requests").sum(), currency="estimated_currency",
        ),
        _unknown(
            inference.filter(uncounted),
            "Model cost without a count of requests", "mart rows", "the vendor's usage export",
            currency="billing_currency",
        ),
        _unknown(
            runs.filter(pl.col("cost_basis") == "unpriced").with_columns(effective_cost=_NO_AMOUNT),
            "Training runs without a price", "runs", "resource_id in the training_run delivery",
            currency="billing_currency",
        ),
        _unknown(
            value.filter(pl.col("unconverted_cost_charges") > 0).with_columns(effective_cost=_NO_AMOUNT),
            "Charges of use cases not converted to the outcome's currency", "charges",
            "an exchange_rate in plan/assumption.csv", rows=pl.col("unconverted_cost_charges").sum(),
            currency="currency",
        ),
        _unknown(
            value.filter(pl.col("benefit").is_null()),
            "Use cases whose benefit nobody has reported", "use cases", "an outcome delivery and plan/assumption.csv",
            currency="currency",
        ),
        _unknown(
            status.filter(pl.col("expected_cost").is_null()).with_columns(effective_cost=_NO_AMOUNT),
            "Budgets whose month end nobody has forecast", "budgets", "finops forecast, then finops build",
            currency="billing_currency",
        ),
    ]  # fmt: skip
    return pl.concat(parts)


_NO_BUDGET = pl.DataFrame(schema={"budget_amount": pl.Decimal(38, 18), "currency": pl.String, "month": pl.String})

_NO_AMOUNT = pl.lit(None, pl.Decimal(38, 18))


def _unknown(
    found: pl.DataFrame, unknown: str, counted: str, remedy: str, *, currency: str, rows: pl.Expr | None = None
) -> pl.DataFrame:
    return (
        found.group_by(currency=pl.col(currency))
        .agg(
            rows=(pl.len() if rows is None else rows).cast(pl.Int64),
            effective_cost=_sum("effective_cost").cast(pl.Decimal(38, 18)),
        )
        .sort("currency")
        .select(
            pl.lit(unknown).alias("unknown"), "rows", pl.lit(counted).alias("counted"), "currency", "effective_cost",
            pl.lit(remedy).alias("remedy"),
        )
    )  # fmt: skip


def _with_month(frame: pl.DataFrame) -> pl.DataFrame:
    if "month" in frame.columns:
        return frame
    return frame.with_columns(month=pl.col("charge_date").dt.strftime("%Y-%m"))


def in_month(frame: pl.DataFrame, month: str) -> pl.DataFrame:
    """The rows of one month, by `month` or by `charge_date`."""
    return _with_month(frame).filter(pl.col("month") == month)


def through(frame: pl.DataFrame, month: str) -> pl.DataFrame:
    """The rows of a month and all before it, by `month` or by `charge_date`."""
    return _with_month(frame).filter(pl.col("month") <= month)


def _up_to(frame: pl.DataFrame, month: str) -> pl.DataFrame:
    """The rows of the last `MONTHS` months, ending with `month`."""
    last = date.fromisoformat(f"{month}-01")
    count = last.year * 12 + last.month - MONTHS
    first = f"{count // 12:04}-{count % 12 + 1:02}"
    return _with_month(frame).filter(pl.col("month").is_between(pl.lit(first), pl.lit(month)))


def _to_date(data_date: date) -> pl.Expr:
    """Whether days of the row's month are still to come."""
    return pl.col("month") >= month_of(data_date + timedelta(days=1))


def _next_month(column: str) -> pl.Expr:
    return (pl.col(column) + "-01").str.to_date().dt.offset_by("1mo").dt.strftime("%Y-%m").alias(column)


def _sum(column: str) -> pl.Expr:
    return _sum_where(column, pl.lit(value=True))


def _sum_where(column: str, condition: pl.Expr) -> pl.Expr:
    """Sum of what is known; NULL where rows are there and none of them is known."""
    chosen = pl.col(column).filter(condition)
    return pl.when((chosen.count() > 0) | (chosen.len() == 0)).then(chosen.sum()).alias(column)
