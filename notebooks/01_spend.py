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
# # Who is paid how much, and is it more than before?
#
# Effective cost by month and provider, from `fct_daily_cost`. Currencies stand side by side and are never added up;
# a month whose days are not all reported yet is paler.

# %%
import os

from IPython.display import Markdown, display

from finops_lib import charts, warehouse
from finops_lib.analysis import governance, spend, views
from finops_lib.lake import Home

charts.show_in_notebooks()
home = Home(os.environ.get("FINOPS_HOME", "demo"))
data_date = warehouse.data_date(home)
month = views.month_of(data_date)
behind = governance.behind(warehouse.mart(home, "fct_data_freshness"), through=data_date)

# %%
daily = warehouse.mart(home, "fct_daily_cost")
months = views.spend(daily, month=month, data_date=data_date)
drawn = [
    charts.noted(charts.spend(own, data_date=data_date), behind) for own in months.partition_by("billing_currency")
]
display(*drawn)

# %% [markdown]
# What moved the bill most, compared with as many days of the month before:

# %%
spend.top_drivers(daily, data_through=data_date)

# %% [markdown]
# ## Answer

# %%
display(Markdown(" ".join(charts.finding(chart) for chart in drawn)))
