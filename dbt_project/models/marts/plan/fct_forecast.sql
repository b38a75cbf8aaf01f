-- The latest forecast, day by day, beside what the days that have since come to pass really cost, as far as their bills
-- are there: a day that is partly estimated measures no forecast.
with actual as (
    select
        'total' as scope,
        cast(null as string) as team,
        billing_currency,
        charge_date,
        sum(effective_cost) as effective_cost,
        sum(estimated_cost) as estimated_cost,
        max(case when estimated_cost <> 0 then 1 else 0 end) as is_estimated
    from {{ ref('int_costs_allocated') }}
    group by billing_currency, charge_date
    union all
    select
        'team' as scope,
        team,
        billing_currency,
        charge_date,
        sum(effective_cost) as effective_cost,
        sum(estimated_cost) as estimated_cost,
        max(case when estimated_cost <> 0 then 1 else 0 end) as is_estimated
    from {{ ref('int_costs_allocated') }}
    group by team, billing_currency, charge_date
),

forecasts as (
    select
        made.*,
        case when made.scope = 'team' then {{ registered_name("'team'", 'made.scope_value') }} end as team
    from {{ ref('stg_forecast') }} as made
    where made.forecast_id = {{ latest_forecast() }}
)

select
    forecasts.forecast_id,
    forecasts.data_through,
    forecasts.scope,
    forecasts.scope_value,
    forecasts.currency,
    forecasts.model,
    forecasts.charge_date,
    forecasts.expected,
    forecasts.low,
    forecasts.high,
    forecasts.known_cost,
    case
        when forecasts.charge_date <= data_date.data_through
            then coalesce(actual.effective_cost, cast(0 as decimal(38, 18)))
    end as actual_cost,
    case
        when forecasts.charge_date <= data_date.data_through
            then coalesce(actual.estimated_cost, cast(0 as decimal(38, 18)))
    end as estimated_cost,
    forecasts.charge_date <= data_date.data_through and coalesce(actual.is_estimated, 0) = 0 as is_reported
from forecasts
cross join {{ ref('int_data_date_found') }} as data_date
left join actual
    on
        forecasts.scope = actual.scope
        and (forecasts.scope = 'total' or forecasts.team = actual.team)
        and forecasts.currency = actual.billing_currency
        and forecasts.charge_date = actual.charge_date
