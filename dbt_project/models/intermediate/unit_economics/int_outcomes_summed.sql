-- What each use case brought in each month in which its periods began. Revenue in two currencies does not add up: it is
-- then unknown.
with periods as (
    select
        *,
        {{ month_text('period_start') }} as month
    from {{ ref('stg_outcome') }}
)

select
    use_case,
    month,
    {{ dbt.last_day("cast(concat(month, '-01') as date)", 'month') }} as last_day,
    max(currency) as currency,
    max(unit_name) as unit_name,
    sum(units) as units,
    sum(accepted_units) as accepted_units,
    case when count(distinct currency) = 1 then sum(revenue) end as revenue,
    sum(hours_saved) as hours_saved,
    avg(satisfaction) as satisfaction,
    max(active_users) as active_users,
    max(eligible_users) as eligible_users
from periods
group by use_case, month
