# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What do a million tokens, a thousand requests and a training run cost?
#
# Cost per unit, from `fct_model_unit_cost`, `fct_kpi` and `fct_training_run_cost`. A unit whose cost or count is not
# known has no price here; it is never counted as free.

# %%
import os

import polars as pl
from IPython.display import Markdown, display

from finops_lib import charts, warehouse
from finops_lib.analysis import governance, views
from finops_lib.lake import Home

charts.show_in_notebooks()
home = Home(os.environ.get("FINOPS_HOME", "demo"))
data_date = warehouse.data_date(home)
month = views.month_of(data_date)
behind = governance.behind(warehouse.mart(home, "fct_data_freshness"), through=data_date)

# %%
models, kpis = warehouse.mart(home, "fct_model_unit_cost"), warehouse.mart(home, "fct_kpi")
tokens = views.token_prices(models, kpis, month=month, data_date=data_date)
prices = [
    charts.noted(charts.token_prices(own, data_date=data_date), behind)
    for own in tokens.partition_by("billing_currency")
]
display(*prices)

# %%
requests = views.requests(models, month=month)
per_request = [charts.requests(own, month=month, data_date=data_date) for own in requests.partition_by("currency")]
display(*per_request)

# %%
runs = views.training_runs(warehouse.mart(home, "fct_training_run_cost"), month=month)
priced = runs.filter(pl.col("billing_currency").is_not_null())
per_run = [charts.training(own, month=month, data_date=data_date) for own in priced.partition_by("billing_currency")]
display(*per_run)

# %% [markdown]
# ## Answer

# %%
display(Markdown(" ".join(charts.finding(chart) for chart in (*prices, *per_request, *per_run))))
