-- What each SKU of a team cost in each whole week and month, and in the one before. A period is compared once it
-- is over and the lake holds the one before it whole.
{% set item = [
    'team', 'service_provider_name', 'service_name', 'model', 'sku', 'unit', 'billing_currency',
] %}

with span as (
    select
        min(charge_date) as first_date,
        max(charge_date) as last_date
    from {{ ref('int_charges_summed') }}
    where charge_category = 'Usage' and is_spread is not true
),

days as (
    select distinct charge_date from {{ ref('int_charges_summed') }}
),

periods as (
    {% for kind in ['week', 'month'] %}
    select
        charge_date,
        '{{ kind }}' as period_kind,
        cast({{ dbt.date_trunc(kind, 'charge_date') }} as date) as period_start
    from days
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

places as (
    select
        charge_date,
        period_kind,
        period_start,
        1 as is_current
    from periods
    union all
    select
        charge_date,
        period_kind,
        case
            when period_kind = 'week' then cast({{ dbt.dateadd('day', 7, 'period_start') }} as date)
            else cast({{ dbt.dateadd('month', 1, 'period_start') }} as date)
        end as period_start,
        0 as is_current
    from periods
),

whole as (
    select
        places.*,
        case
            when places.period_kind = 'week' then cast({{ dbt.dateadd('day', -7, 'places.period_start') }} as date)
            else cast({{ dbt.dateadd('month', -1, 'places.period_start') }} as date)
        end as previous_start,
        case
            when places.period_kind = 'week' then cast({{ dbt.dateadd('day', 6, 'places.period_start') }} as date)
            else {{ dbt.last_day('places.period_start', 'month') }}
        end as period_last_day
    from places
)

select
    whole.period_kind,
    whole.period_start,
    whole.previous_start,
    {% for column in item %}costs.{{ column }},
    {% endfor -%}
    sum(case when whole.is_current = 0 then costs.effective_cost else 0 end) as previous_cost,
    sum(case when whole.is_current = 1 then costs.effective_cost else 0 end) as current_cost,
    sum(case when whole.is_current = 1 then costs.effective_cost else -costs.effective_cost end) as cost_change,
    sum(case when whole.is_current = 0 then 1 else 0 end) as previous_days,
    sum(whole.is_current) as current_days,
    sum(case when whole.is_current = 0 then costs.quantity end) as previous_quantity,
    sum(case when whole.is_current = 1 then costs.quantity end) as current_quantity,
    sum(case when costs.quantity is null then 1 else 0 end) as uncounted_days
from {{ ref('int_sku_costs_summed') }} as costs
inner join whole on costs.charge_date = whole.charge_date
inner join span on whole.previous_start >= span.first_date and whole.period_last_day <= span.last_date
group by
    whole.period_kind, whole.period_start, whole.previous_start,
    {{ 'costs.' ~ item | join(', costs.') }}
