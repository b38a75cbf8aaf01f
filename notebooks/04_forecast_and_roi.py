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
# # Will the money last, and what does it bring?
#
# The latest forecast beside the budget, from `fct_forecast`, `fct_company_budget` (what the company may spend) and
# `fct_budget_status` (each budget), with the error of its backtest;
# then the return of each use case, from `fct_use_case_return`, and of the company on its bills and on all its cost,
# from `fct_company_return`.

# %%
import os

import polars as pl
from IPython.display import Markdown, display

from finops_lib import charts, warehouse
from finops_lib.analysis import forecast, governance, roi, spend, views
from finops_lib.lake import Home

charts.show_in_notebooks()
home = Home(os.environ.get("FINOPS_HOME", "demo"))
data_date = warehouse.data_date(home)
month = views.month_of(data_date)
behind = governance.behind(warehouse.mart(home, "fct_data_freshness"), through=data_date)

# %%
predicted = warehouse.mart(home, "fct_forecast")
status = warehouse.mart(home, "fct_budget_status")
history = spend.daily_history(warehouse.mart(home, "fct_allocated_cost"), data_through=data_date)
outlook = forecast.outlook(predicted, history, warehouse.mart(home, "fct_budget_scope"))
accuracy = views.accuracy(warehouse.mart(home, "fct_forecast_accuracy"))

# %%
company = warehouse.mart(home, "fct_company_budget")
path = views.forecast_path(predicted, history=warehouse.mart(home, "fct_daily_cost"), budgets=company)
ahead = [
    charts.noted(charts.forecast(own, outlook=outlook, accuracy=accuracy, data_date=data_date), behind)
    for own in path.partition_by("currency")
]
display(*ahead)

# %%
budgets = views.budgets(status, month=month).partition_by("billing_currency")
held = [charts.noted(charts.budgets(own, month=month, data_date=data_date), behind) for own in budgets]
display(*held)

# %%
value = warehouse.mart(home, "fct_use_case_value")
of_month = views.in_month(warehouse.mart(home, "fct_use_case_return"), month)
measured = of_month.filter(pl.col("roi").is_not_null())
returns = [charts.roi(own, data_date=data_date) for own in measured.partition_by("currency")]
display(*returns)

# %%
company = views.in_month(warehouse.mart(home, "fct_company_return"), month)
display(company.select("currency", "basis", "use_cases", "cost", "benefit", "net", "roi", "left_out"))

# %% [markdown]
# The use case that an error in one assumption would soonest turn from gain to loss, or back:

# %%
calls = views.closest_calls(roi.sensitivity(value, of_month)).partition_by("currency")
display(*(charts.sensitivity(own, data_date=data_date) for own in calls))

# %% [markdown]
# ## Answer

# %%
display(Markdown(" ".join(charts.finding(chart) for chart in (*ahead, *held, *returns))))
