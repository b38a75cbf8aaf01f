-- What a budget of a team, or of everything, has spent is what the allocation says for its month and currency.
with allocated as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_allocated_cost') }}
    group by {{ month_text('charge_date') }}, team, billing_currency
)

select
    budgets.budget_name,
    budgets.month,
    budgets.actual_cost,
    sum(allocated.effective_cost) as allocated_cost
from {{ ref('fct_budget_status') }} as budgets
left join allocated
    on
        budgets.month = allocated.month
        and budgets.billing_currency = allocated.billing_currency
        and (budgets.team is null or budgets.team = allocated.team)
where
    budgets.product is null
    and budgets.use_case is null
    and budgets.service_name is null
    and budgets.lifecycle is null
group by budgets.budget_name, budgets.month, budgets.actual_cost
having budgets.actual_cost <> coalesce(sum(allocated.effective_cost), 0)
