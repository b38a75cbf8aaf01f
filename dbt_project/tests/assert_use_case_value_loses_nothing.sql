-- What use cases cost is what was allocated, per month and currency before any conversion, and what the plan's people
-- cost; and every charge is in one row of the mart.
with data_date as (
    select {{ month_text('data_through') }} as last_month
    from {{ ref('int_data_date_found') }}
),

shown as (
    select
        month,
        sum(charge_count) as charge_count
    from {{ ref('fct_use_case_value') }}
    group by month
),

differences as (
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        sum(effective_cost) as effective_cost,
        cast(0 as decimal(38, 18)) as organisation_cost,
        sum(charge_count) as charge_count
    from {{ ref('fct_allocated_cost') }}
    group by {{ month_text('charge_date') }}, billing_currency

    union all

    select
        month,
        currency,
        cast(0 as decimal(38, 18)) as effective_cost,
        sum(amount) as organisation_cost,
        0 as charge_count
    from {{ ref('stg_organisation_cost') }}
    where month <= (select data_date.last_month from data_date)
    group by month, currency

    union all

    select
        month,
        billing_currency,
        -sum(effective_cost) as effective_cost,
        -sum(organisation_cost) as organisation_cost,
        -sum(charge_count) as charge_count
    from {{ ref('int_use_case_costs_summed') }}
    group by month, billing_currency
)

select
    month,
    billing_currency,
    sum(effective_cost) as effective_cost_lost,
    sum(organisation_cost) as organisation_cost_lost,
    sum(charge_count) as charges_lost
from differences
group by month, billing_currency
having sum(effective_cost) <> 0 or sum(organisation_cost) <> 0 or sum(charge_count) <> 0

union all

select
    costs.month,
    'all' as billing_currency,
    null as effective_cost_lost,
    null as organisation_cost_lost,
    sum(costs.charge_count) - coalesce(max(shown.charge_count), 0) as charges_lost
from {{ ref('int_use_case_costs_summed') }} as costs
left join shown on costs.month = shown.month
group by costs.month
having sum(costs.charge_count) <> coalesce(max(shown.charge_count), 0)
