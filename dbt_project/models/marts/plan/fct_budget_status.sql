-- Each budget's month: what was allowed, spent, and is expected by its end. An open month without a forecast has no
-- expectation, because the days to come are unknown and not free.
with spent as (
    select
        budgets.budget_name,
        budgets.month,
        budgets.team,
        budgets.product,
        budgets.use_case,
        budgets.service_name,
        budgets.lifecycle,
        budgets.owner,
        budgets.currency as billing_currency,
        budgets.amount as budget_amount,
        coalesce(actuals.actual_cost, cast(0 as decimal(38, 18))) as actual_cost,
        coalesce(actuals.estimated_cost, cast(0 as decimal(38, 18))) as estimated_cost,
        coalesce(actuals.estimated_margin, cast(0 as decimal(38, 18))) as estimated_margin,
        coalesce(actuals.known_future_cost, cast(0 as decimal(38, 18))) as known_future_cost,
        actuals.budget_name is not null as has_charges,
        forecasts.expected as forecast_cost,
        forecasts.low as forecast_low,
        forecasts.high as forecast_high,
        data_date.data_through,
        {{ dbt.last_day("cast(concat(budgets.month, '-01') as date)", 'month') }} <= data_date.data_through as is_over
    from {{ ref('stg_budget') }} as budgets
    cross join {{ ref('int_data_date_found') }} as data_date
    left join {{ ref('int_budget_actuals_summed') }} as actuals
        on budgets.budget_name = actuals.budget_name and budgets.month = actuals.month
    left join {{ ref('int_budget_forecasts_summed') }} as forecasts
        on budgets.budget_name = forecasts.budget_name and budgets.month = forecasts.month
),

told as (
    select
        *,
        cast({{ exact_sum('actual_cost', exact_sum('estimated_cost', 'known_future_cost')) }} as decimal(38, 18)) as told_cost
    from spent
),

expected as (
    select
        *,
        case when is_over then told_cost else {{ exact_sum('told_cost', 'forecast_cost') }} end as expected_cost,
        case
            when is_over then {{ exact_difference('told_cost', 'estimated_margin') }}
            else {{ exact_sum('told_cost', exact_difference('forecast_low', 'estimated_margin')) }}
        end as expected_low,
        case
            when is_over then {{ exact_sum('told_cost', 'estimated_margin') }}
            else {{ exact_sum('told_cost', exact_sum('forecast_high', 'estimated_margin')) }}
        end as expected_high
    from told
)

select
    budget_name,
    month,
    team,
    product,
    use_case,
    service_name,
    lifecycle,
    owner,
    billing_currency,
    budget_amount,
    actual_cost,
    estimated_cost,
    known_future_cost,
    forecast_cost,
    cast(expected_cost as decimal(38, 18)) as expected_cost,
    cast(expected_low as decimal(38, 18)) as expected_low,
    cast(expected_high as decimal(38, 18)) as expected_high,
    {{ ratio('actual_cost', 'budget_amount') }} as consumed_ratio,
    {{ ratio('expected_cost', 'budget_amount') }} as expected_ratio,
    case
        when actual_cost > budget_amount then 'over'
        when expected_cost > budget_amount then 'at risk'
        when not has_charges then 'no spend'
        else 'within'
    end as status,
    data_through
from expected
