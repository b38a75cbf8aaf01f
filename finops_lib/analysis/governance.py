"""Which sources a total is still waiting for."""

from __future__ import annotations

from datetime import date

import polars as pl


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
