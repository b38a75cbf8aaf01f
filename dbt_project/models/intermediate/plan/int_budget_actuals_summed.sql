-- What was spent of each budget in its month and currency: the allocated cost of everything it binds, through the last
-- day of data. Beside it what days not reported yet are estimated to cost, and what is known of the days to come: those
-- of charges longer than a day. A budget without charges has no row.
with monthly as (
    select
        {{ month_text('costs.charge_date') }} as month,
        costs.team,
        costs.product,
        costs.use_case,
        costs.service_name,
        costs.lifecycle,
        costs.billing_currency,
        sum(case when costs.charge_date <= data_date.data_through then costs.effective_cost else 0 end)
            as effective_cost,
        sum(case when costs.charge_date > data_date.data_through then costs.effective_cost else 0 end)
            as known_future_cost,
        sum(costs.estimated_cost) as estimated_cost,
        sum(costs.estimated_margin) as estimated_margin
    from {{ ref('int_costs_allocated') }} as costs
    cross join {{ ref('int_data_date_found') }} as data_date
    group by
        {{ month_text('costs.charge_date') }}, costs.team, costs.product, costs.use_case, costs.service_name,
        costs.lifecycle, costs.billing_currency
)

select
    budgets.budget_name,
    budgets.month,
    sum(monthly.effective_cost) as actual_cost,
    sum(monthly.estimated_cost) as estimated_cost,
    sum(monthly.estimated_margin) as estimated_margin,
    sum(monthly.known_future_cost) as known_future_cost
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
