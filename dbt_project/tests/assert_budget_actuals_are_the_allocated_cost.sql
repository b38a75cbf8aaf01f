-- What the budgets of a team, or of everything, have spent together is what the allocation says for its month and
-- currency, each charge once.
with allocated as (
    select
        {{ month_text('charge_date') }} as month,
        {{ name_key('team') }} as team,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_allocated_cost') }}
    group by {{ month_text('charge_date') }}, {{ name_key('team') }}, billing_currency
),

scopes as (
    select
        month,
        {{ name_key('team') }} as team,
        billing_currency,
        sum(actual_cost) as actual_cost
    from {{ ref('fct_budget_status') }}
    where product is null and use_case is null and service_name is null and lifecycle is null
    group by month, {{ name_key('team') }}, billing_currency
)

select
    scopes.month,
    scopes.team,
    scopes.billing_currency,
    scopes.actual_cost,
    sum(allocated.effective_cost) as allocated_cost
from scopes
left join allocated
    on
        scopes.month = allocated.month
        and scopes.billing_currency = allocated.billing_currency
        and (scopes.team is null or scopes.team = allocated.team)
group by scopes.month, scopes.team, scopes.billing_currency, scopes.actual_cost
having scopes.actual_cost <> coalesce(sum(allocated.effective_cost), 0)
