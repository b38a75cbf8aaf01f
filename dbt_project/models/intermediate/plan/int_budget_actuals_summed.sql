-- What was spent of each budget in its month and currency: the allocated cost of everything it binds.
-- A budget without charges has no row.
with monthly as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        product,
        use_case,
        service_name,
        lifecycle,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_costs_allocated') }}
    group by
        {{ month_text('charge_date') }}, team, product, use_case, service_name, lifecycle, billing_currency
)

select
    budgets.budget_name,
    budgets.month,
    sum(monthly.effective_cost) as actual_cost
from {{ ref('stg_budget') }} as budgets
inner join monthly
    on
        budgets.month = monthly.month
        and budgets.currency = monthly.billing_currency
        and (
            budgets.team is null
            or {{ name_key('budgets.team') }} = {{ name_key('monthly.team') }}
        )
        and (
            budgets.product is null
            or {{ name_key('budgets.product') }} = {{ name_key('monthly.product') }}
        )
        and (
            budgets.use_case is null
            or {{ name_key('budgets.use_case') }} = {{ name_key('monthly.use_case') }}
        )
        and (
            budgets.service_name is null
            or {{ name_key('budgets.service_name') }} = {{ name_key('monthly.service_name') }}
        )
        and (budgets.lifecycle is null or budgets.lifecycle = monthly.lifecycle)
group by budgets.budget_name, budgets.month
