-- The KPIs of plans: budgets and forecasts of a month beside what it cost. A row without a team is the company's.
-- Amounts of opposite sign are stacked and summed, because Spark drops a digit where it subtracts wide decimals.
with data_date as (
    select data_through from {{ ref('int_data_date_found') }}
),

budgets as (
    select
        scopes.month,
        scopes.team,
        scopes.billing_currency,
        {{ dbt.last_day("cast(concat(scopes.month, '-01') as date)", 'month') }} <= data_date.data_through as is_over,
        scopes.variance,
        scopes.budget_amount
    from {{ ref('fct_budget_scope') }} as scopes
    cross join data_date
    where
        scopes.product is null
        and scopes.use_case is null
        and scopes.service_name is null
        and scopes.lifecycle is null
),

actuals as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_costs_allocated') }}
    group by {{ month_text('charge_date') }}, team, billing_currency
    union all
    select
        {{ month_text('charge_date') }} as month,
        cast(null as string) as team,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_costs_allocated') }}
    group by {{ month_text('charge_date') }}, billing_currency
),

forecast_days as (
    select
        forecasts.forecast_id,
        forecasts.data_through,
        forecasts.generated_at,
        {{ month_text('forecasts.charge_date') }} as month,
        forecasts.charge_date,
        case when forecasts.scope = 'team' then {{ registered_name("'team'", 'forecasts.scope_value') }} end as team,
        forecasts.currency as billing_currency,
        forecasts.expected
    from {{ ref('stg_forecast') }} as forecasts
),

whole_months as (
    select
        forecast_id,
        data_through,
        month,
        team,
        billing_currency,
        sum(expected) as expected,
        row_number() over (
            partition by month, team, billing_currency
            order by data_through desc, max(generated_at) desc, forecast_id desc
        ) as forecast_rank
    from forecast_days
    where data_through < cast(concat(month, '-01') as date)
    group by forecast_id, data_through, month, team, billing_currency
    having
        count(distinct charge_date)
        = {{ dbt.datediff(
            "cast(concat(month, '-01') as date)",
            dbt.last_day("cast(concat(month, '-01') as date)", 'month'), 'day'
        ) }} + 1
),

forecasts as (
    select
        whole_months.month,
        whole_months.team,
        whole_months.billing_currency,
        {{ dbt.last_day("cast(concat(whole_months.month, '-01') as date)", 'month') }} <= data_date.data_through
            as is_over,
        {{ as_amount('whole_months.expected') }} as expected,
        coalesce(actuals.effective_cost, cast(0 as decimal(38, 18))) as effective_cost
    from whole_months
    cross join data_date
    left join actuals
        on
            whole_months.month = actuals.month
            and coalesce(whole_months.team, '') = coalesce(actuals.team, '')
            and whole_months.billing_currency = actuals.billing_currency
    where whole_months.forecast_rank = 1
),

forecast_parts as (
    select
        month,
        team,
        billing_currency,
        is_over,
        expected as difference,
        expected
    from forecasts
    union all
    select
        month,
        team,
        billing_currency,
        is_over,
        -effective_cost as difference,
        cast(0 as decimal(38, 18)) as expected
    from forecasts
),

ranked_forecasts as (
    select
        forecast_id,
        month,
        team,
        billing_currency,
        row_number() over (
            partition by month, team, billing_currency
            order by data_through desc, max(generated_at) desc, forecast_id desc
        ) as forecast_rank
    from forecast_days
    group by forecast_id, data_through, month, team, billing_currency
),

-- Only days that both have can drift.
drifts as (
    select
        newest.month,
        newest.team,
        newest.billing_currency,
        sum(new_days.expected) as expected,
        sum(old_days.expected) as expected_before
    from ranked_forecasts as newest
    inner join ranked_forecasts as previous
        on
            newest.month = previous.month
            and coalesce(newest.team, '') = coalesce(previous.team, '')
            and newest.billing_currency = previous.billing_currency
            and previous.forecast_rank = 2
    inner join forecast_days as new_days
        on
            newest.forecast_id = new_days.forecast_id
            and newest.month = new_days.month
            and coalesce(newest.team, '') = coalesce(new_days.team, '')
            and newest.billing_currency = new_days.billing_currency
    inner join forecast_days as old_days
        on
            previous.forecast_id = old_days.forecast_id
            and new_days.charge_date = old_days.charge_date
            and coalesce(new_days.team, '') = coalesce(old_days.team, '')
            and new_days.billing_currency = old_days.billing_currency
    where newest.forecast_rank = 1
    group by newest.month, newest.team, newest.billing_currency
),

measured as (
    select
        'budget_variance' as kpi,
        month,
        team,
        billing_currency,
        is_over,
        variance as numerator,
        budget_amount as denominator
    from budgets
    union all
    select
        'forecast_accuracy' as kpi,
        month,
        team,
        billing_currency,
        is_over,
        sum(difference) as numerator,
        sum(expected) as denominator
    from forecast_parts
    group by month, team, billing_currency, is_over
    union all
    select
        'forecast_drift' as kpi,
        month,
        team,
        billing_currency,
        true as is_over,
        {{ as_amount('expected - expected_before') }} as numerator,
        {{ as_amount('expected_before') }} as denominator
    from drifts
)

select
    kpi,
    month,
    team,
    billing_currency,
    case when is_over then cast(numerator as decimal(38, 18)) end as numerator,
    case when is_over then cast(denominator as decimal(38, 18)) end as denominator,
    case when not is_over then 'the month is not over' end as missing_reason
from measured
