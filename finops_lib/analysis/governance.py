"""How far the numbers can be relied on, and whether what was spent was meant to be. No amount crosses a currency."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from .spend import ratio

DAILY_DATASETS = ("cost_and_usage", "ai_usage", "gpu_utilization", "function_run")
"""Datasets that grow every day; training runs and outcomes come when they come, the plan has no days."""

AI_CATEGORY = "AI and Machine Learning"


def recent(frame: pl.DataFrame, *, data_through: date, days: int) -> pl.DataFrame:
    """The rows of the last `days` days, by charge_date."""
    return frame.filter(pl.col("charge_date").is_between(data_through - timedelta(days=days - 1), data_through))


def share_unpriced(inference: pl.DataFrame) -> pl.DataFrame:
    """How many of the tokens used no price is known for.

    Reads    the mart fct_inference_unit_cost. A day of a model without an estimate is unpriced; requests are not
             asked, because not every vendor counts them.
    Returns  one row: tokens, unpriced_tokens, share (NULL without tokens), models (unpriced ones, by name).
    """
    unpriced = pl.col("estimated_cost").is_null()
    return (
        inference.filter(pl.col("tokens") > 0)
        .select(
            tokens=pl.col("tokens").sum(),
            unpriced_tokens=pl.col("tokens").filter(unpriced).sum(),
            models=pl.col("model").filter(unpriced).unique().sort().implode(),
        )
        .with_columns(share=ratio("unpriced_tokens", "tokens"))
        .select("tokens", "unpriced_tokens", "share", "models")
    )


def lifecycle_shares(lifecycle: pl.DataFrame) -> pl.DataFrame:
    """What experiments cost beside production, and how much nobody can tell.

    Reads    the mart fct_lifecycle_cost.
    Returns  billing_currency, effective_cost, experiment, production, unknown, unknown_share (of all), and
             experiment_ratio (of production; NULL where production cost nothing).
    """
    cost = pl.col("effective_cost")
    kinds = ("experiment", "production", "unknown")
    return (
        lifecycle.group_by("billing_currency")
        .agg(cost.sum(), *(cost.filter(pl.col("lifecycle") == kind).sum().alias(kind) for kind in kinds))
        .with_columns(
            unknown_share=ratio("unknown", "effective_cost"), experiment_ratio=ratio("experiment", "production")
        )
        .sort("billing_currency")
    )


def unapproved_spend(allocated: pl.DataFrame, approved: pl.DataFrame) -> pl.DataFrame:
    """AI services and models that were used without approval on the day.

    Reads    the mart fct_allocated_cost and the dataset approved_service. Only usage and purchases in FOCUS's AI
             category are looked at. Names are compared without case. An approval without service or model covers all
             of them; a charge that names no model, such as a tool call, is covered by any approval of its service.
    Returns  service_provider_name, service_name, model, billing_currency, first_date, effective_cost; costliest first.
    """
    what = ["service_provider_name", "service_name", "model"]
    used = (
        allocated.filter(
            pl.col("service_category") == AI_CATEGORY, pl.col("charge_category").is_in(["Usage", "Purchase"])
        )
        .group_by(*what, "billing_currency", "charge_date")
        .agg(pl.col("effective_cost").sum())
        .with_row_index("use")
    )
    covered = used.join(approved.select(*what, "approved_on"), how="cross", suffix="_approved").filter(
        pl.col("approved_on").is_null() | (pl.col("approved_on") <= pl.col("charge_date")),
        *(
            pl.col(f"{name}_approved").is_null()
            | (pl.col(f"{name}_approved").str.to_lowercase() == pl.col(name).str.to_lowercase())
            | ((pl.col(name) == "unknown") & (name == "model"))
            for name in what
        ),
    )
    return (
        used.join(covered, on="use", how="anti")
        .group_by(*what, "billing_currency")
        .agg(pl.col("charge_date").min().alias("first_date"), pl.col("effective_cost").sum())
        .sort("billing_currency", pl.col("effective_cost"), *what, descending=[False, True, False, False, False])
    )


def staleness(freshness: pl.DataFrame) -> pl.DataFrame:
    """How many days each source of daily data is behind the newest of them.

    Reads    the mart fct_data_freshness.
    Returns  dataset, source, last_date, days_behind; the most behind first.
    """
    last = pl.col("last_date")
    return (
        freshness.filter(pl.col("dataset").is_in(DAILY_DATASETS), last.is_not_null())
        .select("dataset", "source", "last_date", days_behind=(last.max() - last).dt.total_days())
        .sort("days_behind", "dataset", "source", descending=[True, False, False])
    )


def answered_accuracy(accuracy: pl.DataFrame, forecast: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
    """How wrong the models that answered have been, at one horizon.

    Reads    the marts fct_forecast_accuracy and fct_forecast.
    Returns  scope, scope_value, currency, model, wape, bias, coverage, skill; one row per forecast series tested.
    """
    series = ["scope", "scope_value", "currency", "model"]
    return (
        accuracy.filter(pl.col("horizon_days") == horizon_days)
        .join(forecast.select(series).unique(), on=series, how="semi")
        .select(*series, "wape", "bias", "coverage", "skill")
        .sort(series)
    )
