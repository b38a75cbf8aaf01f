"""What a reader is shown: a mart's rows, added up for one question. Every view keeps currencies apart.

The numbers a chart's title or a report's figure states are columns here, so that neither computes anything.
A sum of values none of which is known is NULL, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from .spend import kpi, ratio

MONTHS = 18
"""Months of history that a monthly view goes back."""

HISTORY_DAYS = 92
"""Days of actual cost shown before a forecast: about the last quarter."""

LIFECYCLES = ("experiment", "production", "unknown")

DRIVERS = 15
"""Movers of the bill that are listed, per currency."""


def month_of(day: date) -> str:
    """The month of a day, as marts write it: `2026-10`."""
    return f"{day:%Y-%m}"


def is_open(month: str, *, data_date: date) -> bool:
    """Whether days of the month are still to come in the data."""
    return month_of(data_date + timedelta(days=1)) <= month


def currencies(daily: pl.DataFrame) -> list[str]:
    """The currencies of the bill, the one with most charges first.

    Reads    fct_monthly_cost or fct_daily_cost.
    """
    counted = daily.group_by("billing_currency").agg(pl.col("charge_count").sum())
    return counted.sort("charge_count", "billing_currency", descending=[True, False])["billing_currency"].to_list()


def spend(monthly: pl.DataFrame, *, month: str, data_date: date) -> pl.DataFrame:
    """What each provider cost in each of the months up to `month`.

    Reads    fct_monthly_cost.
    Returns  month, to_date (days are still to come), service_provider_name, billing_currency, billed_cost,
             effective_cost, month_cost (all providers), share of it, change of month_cost on the month before (NULL
             where the month is open or there is none before); newest month last, dearest provider first.
    """
    return (
        _up_to(monthly, month)
        .with_columns(to_date=_to_date(data_date))
        .select(
            "month", "to_date", "service_provider_name", "billing_currency", "month_cost",
            billed_cost="provider_billed_cost", effective_cost="provider_cost", share="provider_share",
            change="month_change",
        )
        .unique()
        .sort(
            "billing_currency", "month", "effective_cost", "service_provider_name",
            descending=[False, False, True, False],
        )
    )  # fmt: skip


def services(monthly: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """What each service cost in a month, under all four of FOCUS's costs; dearest first.

    Reads    fct_monthly_cost.
    Returns  its rows of the month.
    """
    return in_month(monthly, month).sort(
        "billing_currency", "effective_cost", "service_name", descending=[False, True, False]
    )


def teams(showback: pl.DataFrame, kpis: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """What each team cost in a month, and how it came to be theirs.

    Reads    fct_showback; `kpis`: fct_kpi.
    Returns  team, allocation (direct, shared, unregistered, unallocated), billing_currency, effective_cost, team_cost,
             share (of the month's cost), month_cost, allocated_share (of the month's cost); dearest team first.
    """
    allocated = kpi(kpis, "spend_allocated").select("month", "billing_currency", allocated_share="value")
    return (
        in_month(showback, month)
        .select(
            "month", "team", "allocation", "billing_currency", "team_cost", "month_cost",
            effective_cost="allocation_cost", share="team_share",
        )
        .unique()
        .join(allocated, on=["month", "billing_currency"], how="left")
        .sort("billing_currency", "team_cost", "team", "allocation", descending=[False, True, False, False])
    )  # fmt: skip


def token_prices(models: pl.DataFrame, kpis: pl.DataFrame, *, month: str, data_date: date) -> pl.DataFrame:
    """What a million tokens of each model cost in each of the months up to `month`, all kinds of token together.

    Reads    fct_model_unit_cost; `kpis`: fct_kpi.
    Returns  month, to_date, service_provider_name, model, billing_currency, tokens, effective_cost,
             cost_per_1m_tokens, change of it on the month before, is_cut (whether that is worth naming), month_per_1m
             (all models); dearest model first, oldest month first.
    """
    whole = kpi(kpis, "cost_per_1m_tokens").select("month", "billing_currency", month_per_1m="value")
    model = ["service_provider_name", "model", "billing_currency"]
    return (
        _up_to(models, month)
        .filter(pl.col("tokens") > 0)
        .select(
            "month", "service_provider_name", "model", "tokens", "cost_per_1m_tokens", billing_currency="currency",
            to_date=_to_date(data_date), effective_cost="token_cost", change="token_price_change",
            is_cut="is_token_price_cut",
        )
        .join(whole, on=["month", "billing_currency"], how="left")
        .sort(
            "billing_currency", pl.col("effective_cost").sum().over(model), "model", "month",
            descending=[False, True, False, False],
        )
    )  # fmt: skip


def requests(models: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """What a thousand requests to each model cost: as billed, and as the price book has it.

    Reads    fct_model_unit_cost.
    Returns  service_provider_name, model, currency, requests, effective_cost, estimated_cost, unpriced_requests,
             billed_per_1k (over the requests that are on the bill), estimated_per_1k (over those with a price),
             each NULL where nothing is known; dearest per request first.
    """
    return (
        in_month(models, month)
        .filter(pl.col("requests").is_not_null())
        .select(
            "service_provider_name", "model", "currency", "requests", "unpriced_requests",
            effective_cost="request_cost", estimated_cost="estimated_request_cost",
            billed_per_1k="cost_per_1k_requests", estimated_per_1k="estimated_cost_per_1k_requests",
        )
        .sort(pl.coalesce("billed_per_1k", "estimated_per_1k"), "model", descending=[True, False], nulls_last=True)
    )  # fmt: skip


def lifecycles(shares: pl.DataFrame, *, month: str, data_date: date) -> pl.DataFrame:
    """How the cost of each of the months up to `month` divides into experiment, production and unknown.

    Reads    fct_lifecycle_share.
    Returns  month, to_date, lifecycle, billing_currency, effective_cost, share, and of the month: experiment_ratio
             (experiment over production), experiment_limit (the threshold for it), status, limit_share (share that
             experiments would have at the threshold); oldest month first. A lifecycle without cost has no row.
    """
    company = _up_to(shares.filter(pl.col("scope") == "company"), month).with_columns(to_date=_to_date(data_date))
    kept = "month", "to_date", "billing_currency", "experiment_ratio", "experiment_limit", "status", "limit_share"
    return (
        pl.concat(
            company.select(
                *kept, lifecycle=pl.lit(name), effective_cost=f"{name}_cost", share=f"{name}_share",
            )
            for name in LIFECYCLES
        )
        .filter(pl.col("effective_cost") != 0)
        .sort("billing_currency", "month", "lifecycle")
    )  # fmt: skip


def kpis(measured: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """The company's KPIs of a month with their grades, each edition's beside it.

    Reads    fct_kpi.
    Returns  kpi, billing_currency, unit, value, missing_reason, then one column per edition of the grading scales,
             named grade_<edition>; by name.
    """
    row = ["kpi", "billing_currency", "unit", "value", "missing_reason"]
    company = measured.filter(pl.col("scope") == "company", pl.col("month") == month)
    editions = company["edition"].drop_nulls().unique().sort().to_list()
    found = company.select(row).unique()
    for edition in editions:
        graded = company.filter(pl.col("edition") == edition)
        found = found.join(
            graded.select("kpi", "billing_currency", pl.col("grade").alias(f"grade_{edition}")),
            on=["kpi", "billing_currency"], how="left", nulls_equal=True,
        )  # fmt: skip
    return found.sort(
        pl.col("value").is_null(), "kpi", "billing_currency", descending=[False, False, True], nulls_last=True
    )


def drivers(moved: pl.DataFrame, *, month: str, top: int | None = DRIVERS) -> pl.DataFrame:
    """What moved the bill of the last whole month up to `month` most, by price, volume and mix.

    Reads    fct_top_drivers, which compares whole months.
    Returns  its `top` rows of that month that moved most in each currency, up or down, or all; largest first.
    """
    start = pl.col("period_start")
    months = moved.filter(pl.col("period_kind") == "month", start <= date.fromisoformat(f"{month}-01"))
    shown = months.filter(start == start.max(), pl.lit(top is None) | (pl.col("driver_rank") <= (top or 0)))
    return shown.sort("billing_currency", "driver_rank", descending=[True, False])


def tag_coverage(coverage: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """How much of a month's cost carries each tag key, of everything, and of each team where it fell suddenly.

    Reads    fct_tag_coverage.
    Returns  its rows of the month; everything first, the largest fall first.
    """
    return (
        coverage.filter(
            pl.col("month") == month, (pl.col("scope") == "total") | (pl.col("finding") == "sudden fall")
        )
        .sort(
            pl.col("scope") != "total", "billing_currency", "coverage_change", "tag_key", "scope_value",
            descending=[False, True, False, False, False], nulls_last=True,
        )
    )  # fmt: skip


def categories(categorised: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """Where the money of a month went, bills and what people cost by the plan.

    Reads    fct_spend_category.
    Returns  category, source, billing_currency, category_cost, category_share; dearest first.
    """
    return (
        in_month(categorised, month)
        .select("category", "source", "billing_currency", "category_cost", "category_share")
        .unique()
        .sort("billing_currency", "category_cost", "category", "source", descending=[True, True, False, False])
    )


def commitments(committed: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """The commitments of a month, dearest first.

    Reads    fct_commitments.
    Returns  its rows of the month plus id_end, what follows the last slash of the id.
    """
    return (
        in_month(committed, month)
        .with_columns(id_end=pl.col("commitment_id").str.split("/").list.last())
        .sort("billing_currency", "amortized_cost", "commitment_id", descending=[True, True, False], nulls_last=True)
    )


def idle_machines(machines: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """The machines with GPUs that stood idle on days of a month, what those days cost first.

    Reads    fct_gpu_idle.
    Returns  its rows of the month with an idle day.
    """
    return (
        in_month(machines, month)
        .filter(pl.col("idle_days") > 0)
        .sort("billing_currency", "idle_days_cost", "resource_id", descending=[True, True, False], nulls_last=True)
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
    Returns  its rows of the month, dearest first, those without a price last.
    """
    return runs.filter(pl.col("started_at").dt.strftime("%Y-%m") == month).sort(
        "effective_cost", "run_id", descending=[True, False], nulls_last=True
    )


def budgets(status: pl.DataFrame, *, month: str) -> pl.DataFrame:
    """Every budget of a month beside what was spent and what is expected.

    Reads    fct_budget_status.
    Returns  its rows of the month plus low_ratio and high_ratio (ends of what is expected, over the budget); the
             fullest budget first, of equally full ones the narrowest.
    """
    return (
        status.filter(pl.col("month") == month)
        .with_columns(
            low_ratio=ratio("expected_low", "budget_amount"), high_ratio=ratio("expected_high", "budget_amount")
        )
        .sort(
            pl.max_horizontal("consumed_ratio", "expected_ratio"),
            "precedence",
            "budget_name",
            descending=[True, False, False],
            nulls_last=True,
        )
    )


def forecast_path(forecast: pl.DataFrame, *, history: pl.DataFrame, budgets: pl.DataFrame) -> pl.DataFrame:
    """The days before a forecast and the days it covers, everything together, beside the budget per day.

    Reads    fct_forecast; `history`: fct_daily_cost; `budgets`: fct_company_budget.
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
    everything = budgets.filter(pl.col("binds") == "everything").select(
        "budget_amount", "month", currency="billing_currency"
    )
    return (
        pl.concat([past, ahead], how="diagonal")
        .with_columns(month=pl.col("charge_date").dt.strftime("%Y-%m"))
        .join(everything, on=["currency", "month"], how="left")
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
            allocated.filter(pl.col("allocation") == "unregistered"),
            "Cost of teams that nobody registered", "charges", "plan/owner.csv, or an alias in plan/tag_alias.csv",
            rows=pl.col("charge_count").sum(), currency="billing_currency",
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
            "Requests whose model and day have no price", "requests", "the price book (docs/decisions/tokens.md)",
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
            value.filter(pl.col("benefit").is_null(), pl.col("use_case") != "unallocated"),
            "Use cases whose benefit nobody has reported", "use cases", "an outcome delivery and plan/assumption.csv",
            currency="currency",
        ),
        _unknown(
            status.filter(pl.col("status") == "unknown").with_columns(effective_cost=_NO_AMOUNT),
            "Budgets whose month end nobody has forecast", "budgets", "finops forecast, then finops build",
            currency="billing_currency",
        ),
    ]  # fmt: skip
    return pl.concat(parts)


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


def of_month(frame: pl.DataFrame, month: str) -> pl.DataFrame:
    """A mart's rows of its last month up to `month`; of hours, those of the last day; all where it has no months."""
    if "period_kind" in frame.columns:
        return drivers(frame, month=month, top=None)
    if "hour_start" in frame.columns:
        day = pl.col("hour_start").dt.date()
        hours = frame.filter(pl.col("hour_start").dt.strftime("%Y-%m") <= month)
        return hours.filter(day == day.max())
    if not {"month", "charge_date"} & set(frame.columns):
        return frame
    months = through(frame, month)
    return months.filter(pl.col("month") == pl.col("month").max()).select(frame.columns)


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


def _sum(column: str) -> pl.Expr:
    """Sum of what is known; NULL where rows are there and none of them is known."""
    known = pl.col(column)
    return pl.when((known.count() > 0) | (known.len() == 0)).then(known.sum()).alias(column)
