"""How far the numbers can be relied on, and whether what was spent was meant to be. No amount crosses a currency."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from .spend import ratio

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
    """Every source that should report every day, or as often as it used to, and whether it does.

    Reads    the mart fct_data_freshness.
    Returns  dataset, source, service_provider_name, billing_account_id, last_date, days_behind, usual_gap_days,
             allowed_days, status; the most behind first.
    """
    return (
        freshness.filter(pl.col("days_behind").is_not_null())
        .select(
            "dataset", "source", "service_provider_name", "billing_account_id", "last_date", "days_behind",
            "usual_gap_days", "allowed_days", "status",
        )
        .sort("days_behind", "dataset", "source", "billing_account_id", descending=[True, False, False, False])
    )  # fmt: skip


def behind(freshness: pl.DataFrame, *, through: date) -> str:
    """The sources of costs that have not reported all days through one, in words: `OpenAI through 23 October`.

    Reads    the mart fct_data_freshness.
    Returns  their providers with the day of each, the furthest behind first, accounts where a provider has several;
             empty where every source has reported, or has ended.
    """
    costs = freshness.filter(pl.col("dataset") == "cost_and_usage", pl.col("days_behind").is_not_null())
    late = costs.filter(pl.col("last_date") < through, pl.col("status") != "ended").sort(
        "days_behind", "service_provider_name", "billing_account_id", descending=[True, False, False]
    )
    accounts = costs.group_by("service_provider_name").len()
    several = set(accounts.filter(pl.col("len") > 1)["service_provider_name"])
    return ", ".join(
        row["service_provider_name"]
        + (f" account {row['billing_account_id']}" if row["service_provider_name"] in several else "")
        + f" through {row['last_date']:%-d %B}"
        for row in late.iter_rows(named=True)
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
