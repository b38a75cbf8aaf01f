-- What a budget of a team, or of everything, has spent is what the allocation says for its month's days of data and its
-- currency, and what is known of its days to come is what the allocation says for those.
with allocated as (
    select
        {{ month_text('charge_date') }} as month,
        lower(team) as team,
        billing_currency,
        sum(case when charge_date <= data_through then effective_cost else 0 end) as effective_cost,
        sum(case when charge_date > data_through then effective_cost else 0 end) as known_future_cost,
        sum(estimated_cost) as estimated_cost
    from {{ ref('fct_allocated_cost') }}
    cross join {{ ref('int_data_date_found') }}
    group by {{ month_text('charge_date') }}, lower(team), billing_currency
)

select
    budgets.budget_name,
    budgets.month,
    budgets.actual_cost,
    sum(allocated.effective_cost) as allocated_cost,
    budgets.known_future_cost,
    sum(allocated.known_future_cost) as allocated_future_cost,
    budgets.estimated_cost,
    sum(allocated.estimated_cost) as allocated_estimate
from {{ ref('fct_budget_status') }} as budgets
left join allocated
    on
        budgets.month = allocated.month
        and budgets.billing_currency = allocated.billing_currency
        and (budgets.team is null or lower(budgets.team) = allocated.team)
where
    budgets.product is null
    and budgets.use_case is null
    and budgets.service_name is null
    and budgets.lifecycle is null
group by
    budgets.budget_name, budgets.month, budgets.actual_cost, budgets.known_future_cost, budgets.estimated_cost
having
    budgets.actual_cost <> coalesce(sum(allocated.effective_cost), 0)
    or budgets.known_future_cost <> coalesce(sum(allocated.known_future_cost), 0)
    or budgets.estimated_cost <> coalesce(sum(allocated.estimated_cost), 0)
