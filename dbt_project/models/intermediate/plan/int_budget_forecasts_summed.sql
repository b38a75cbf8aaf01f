-- What the rest of each budget's month is expected to cost, from the latest forecast's days after the last day of data.
-- Only budgets of one team or of everything: nothing else is forecast. What was known of those days when it was made is
-- left out: the bill says it. The bounds of the days are added up, which is wider than the interval of their sum.
select
    budgets.budget_name,
    budgets.month,
    {{ as_amount('sum(forecasts.expected - coalesce(forecasts.known_cost, 0))') }} as expected,
    {{ as_amount('sum(forecasts.low - coalesce(forecasts.known_cost, 0))') }} as low,
    {{ as_amount('sum(forecasts.high - coalesce(forecasts.known_cost, 0))') }} as high
from {{ ref('stg_budget') }} as budgets
cross join {{ ref('int_data_date_found') }} as data_date
inner join {{ ref('stg_forecast') }} as forecasts
    on
        budgets.month = {{ month_text('forecasts.charge_date') }}
        and budgets.currency = forecasts.currency
        and data_date.data_through < forecasts.charge_date
        and case
            when budgets.team is null then forecasts.scope = 'total'
            else forecasts.scope = 'team' and lower(budgets.team) = lower(forecasts.scope_value)
        end
inner join {{ ref('int_latest_forecast_found') }} as latest on forecasts.forecast_id = latest.forecast_id
where
    budgets.product is null
    and budgets.use_case is null
    and budgets.service_name is null
    and budgets.lifecycle is null
group by budgets.budget_name, budgets.month
