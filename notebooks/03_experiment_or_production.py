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
# # How much is tried out, and how much runs the business?
#
# Effective cost by lifecycle, from `fct_lifecycle_share`. What no rule, tag or environment places is `unknown` and
# stays visible. The line is where experiments cost as much of production as the plan allows: the threshold
# `experiment_to_production`.

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
shares = warehouse.mart(home, "fct_lifecycle_share")
months = views.lifecycles(shares, month=month, data_date=data_date)
drawn = [
    charts.noted(charts.lifecycle(own, data_date=data_date), behind) for own in months.partition_by("billing_currency")
]
display(*drawn)

# %% [markdown]
# How we know which is which:

# %%
views.evidence(warehouse.mart(home, "fct_lifecycle_cost"), month=month)

# %% [markdown]
# ## Answer

# %%
display(Markdown(" ".join(charts.finding(chart) for chart in drawn)))
