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
from finops_lib.analysis import governance, views
from finops_lib.lake import Home

charts.show_in_notebooks()
home = Home(os.environ.get("FINOPS_HOME", "demo"))
data_date = warehouse.data_date(home)
month = views.month_of(data_date)
behind = governance.behind(warehouse.mart(home, "fct_data_freshness"), through=data_date)

# %%
monthly = warehouse.mart(home, "fct_monthly_cost")
months = views.spend(monthly, month=month, data_date=data_date)
drawn = [
    charts.noted(charts.spend(own, data_date=data_date), behind) for own in months.partition_by("billing_currency")
]
display(*drawn)

# %% [markdown]
# What moved the bill of the last whole month most, by price, volume and mix:

# %%
drivers = views.drivers(warehouse.mart(home, "fct_top_drivers"), month=month)
drivers.select(
    "team", "service_name", "model", "sku", "billing_currency", "previous_cost", "current_cost", "cost_change",
    "price_effect", "volume_effect", "mix_effect", "change_kind",
)  # fmt: skip

# %% [markdown]
# ## Answer

# %%
display(Markdown(" ".join([*(charts.finding(chart) for chart in drawn), f"{charts.moved_most(drivers)}."])))
