-- What each use case brought in each month in which its periods began. Revenue in two currencies and units of two kinds
-- do not add up: they are then unknown, and the columns say so.
with periods as (
    select
        *,
        {{ month_text('period_start') }} as month,
        case when revenue is not null then currency end as revenue_currency,
        case when units is not null or accepted_units is not null then coalesce(unit_name, '') end as counted_unit
    from {{ ref('stg_outcome') }}
),

summed as (
    select
        use_case,
        month,
        max(coalesce(revenue_currency, currency)) as currency,
        max(unit_name) as unit_name,
        coalesce(min(revenue_currency) <> max(revenue_currency), false) as has_mixed_currencies,
        coalesce(min(counted_unit) <> max(counted_unit), false) as has_mixed_units,
        sum(units) as units,
        sum(accepted_units) as accepted_units,
        sum(revenue) as revenue,
        sum(hours_saved) as hours_saved,
        avg(satisfaction) as satisfaction,
        max(active_users) as active_users,
        max(eligible_users) as eligible_users
    from periods
    group by use_case, month
)

select
    use_case,
    month,
    {{ dbt.last_day("cast(concat(month, '-01') as date)", 'month') }} as last_day,
    case when not has_mixed_currencies then currency end as currency,
    case when not has_mixed_units then unit_name end as unit_name,
    has_mixed_currencies,
    has_mixed_units,
    case when not has_mixed_units then units end as units,
    case when not has_mixed_units then accepted_units end as accepted_units,
    case when not has_mixed_currencies then revenue end as revenue,
    hours_saved,
    satisfaction,
    active_users,
    eligible_users
from summed
