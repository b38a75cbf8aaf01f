-- What the budgets of a team, or of everything, have spent together is what the allocation says for its month's days of
-- data and its currency, each charge once, and what is known of its days to come is what the allocation says for those.
with allocated as (
    select
        {{ month_text('costs.charge_date') }} as month,
        costs.team,
        costs.billing_currency,
        sum(case when costs.charge_date <= data_date.data_through then costs.effective_cost else 0 end)
            as effective_cost,
        sum(case when costs.charge_date > data_date.data_through then costs.effective_cost else 0 end)
            as known_future_cost,
        sum(costs.estimated_cost) as estimated_cost
    from {{ ref('fct_allocated_cost') }} as costs
    cross join {{ ref('int_data_date_found') }} as data_date
    group by {{ month_text('costs.charge_date') }}, costs.team, costs.billing_currency
),

scopes as (
    select
        month,
        team,
        billing_currency,
        sum(actual_cost) as actual_cost,
        sum(known_future_cost) as known_future_cost,
        sum(estimated_cost) as estimated_cost
    from {{ ref('fct_budget_status') }}
    where product is null and use_case is null and service_name is null and lifecycle is null
    group by month, team, billing_currency
)

select
    scopes.month,
    scopes.team,
    scopes.billing_currency,
    scopes.actual_cost,
    sum(allocated.effective_cost) as allocated_cost,
    scopes.known_future_cost,
    sum(allocated.known_future_cost) as allocated_future_cost,
    scopes.estimated_cost,
    sum(allocated.estimated_cost) as allocated_estimate
from scopes
left join allocated
    on
        scopes.month = allocated.month
        and scopes.billing_currency = allocated.billing_currency
        and (scopes.team is null or scopes.team = allocated.team)
group by
    scopes.month, scopes.team, scopes.billing_currency, scopes.actual_cost, scopes.known_future_cost,
    scopes.estimated_cost
having
    scopes.actual_cost <> coalesce(sum(allocated.effective_cost), 0)
    or scopes.known_future_cost <> coalesce(sum(allocated.known_future_cost), 0)
    or scopes.estimated_cost <> coalesce(sum(allocated.estimated_cost), 0)
