-- Each budget's month: what it binds, what was allowed, spent, and is expected by its end. Budgets of one scope (team,
-- product, use case, service, lifecycle and currency) in a month add up and are judged together; each has its share of
-- the scope's cost, so that every charge is in the scope's budgets once. Scopes that overlap are each judged by
-- themselves and never added. An open month without a forecast has no expectation, because the days to come are
-- unknown and not free.
with spelt_teams as (
    select
        {{ name_key('team') }} as team_key,
        min(team) as team
    from {{ ref('int_costs_allocated') }}
    group by {{ name_key('team') }}
),

budgets as (
    select
        plan.budget_name,
        plan.month,
        coalesce(spelt_teams.team, plan.team) as team,
        plan.product,
        plan.use_case,
        plan.service_name,
        plan.lifecycle,
        plan.owner,
        plan.currency,
        plan.amount,
        {{ row_key([
            name_key('plan.team'), name_key('plan.product'), name_key('plan.use_case'),
            name_key('plan.service_name'), 'plan.lifecycle'
        ]) }} as scope_key
    from {{ ref('stg_budget') }} as plan
    left join spelt_teams on {{ name_key('plan.team') }} = spelt_teams.team_key
),

scopes as (
    select
        *,
        coalesce(
            nullif(
                concat_ws(
                    ', ',
                    case
                        when team is not null then concat('team ', min(team) over (partition by scope_key))
                    end,
                    case
                        when product is not null then concat('product ', min(product) over (partition by scope_key))
                    end,
                    case
                        when use_case is not null
                            then concat('use case ', min(use_case) over (partition by scope_key))
                    end,
                    case
                        when service_name is not null
                            then concat('service ', min(service_name) over (partition by scope_key))
                    end,
                    case when lifecycle is not null then concat('lifecycle ', lifecycle) end
                ), ''
            ), 'everything'
        ) as scope,
        cast(count(*) over (partition by month, currency, scope_key) as bigint) as scope_budgets,
        sum(amount) over (partition by month, currency, scope_key) as scope_amount,
        row_number() over (partition by month, currency, scope_key order by budget_name desc) = 1 as is_last
    from budgets
),

spent as (
    select
        scopes.*,
        coalesce(
            {{ ratio('scopes.amount', 'scopes.scope_amount') }},
            case when scopes.is_last then 1.0 else 0.0 end
        ) as scope_share,
        coalesce(actuals.actual_cost, cast(0 as decimal(38, 18))) as actual_cost,
        coalesce(actuals.estimated_cost, cast(0 as decimal(38, 18))) as estimated_cost,
        coalesce(actuals.estimated_margin, cast(0 as decimal(38, 18))) as estimated_margin,
        coalesce(actuals.known_future_cost, cast(0 as decimal(38, 18))) as known_future_cost,
        actuals.budget_name is not null as has_charges,
        forecasts.expectation_basis,
        forecasts.expected as forecast_cost,
        forecasts.low as forecast_low,
        forecasts.high as forecast_high,
        data_date.data_through,
        {{ dbt.last_day("cast(concat(scopes.month, '-01') as date)", 'month') }} <= data_date.data_through as is_over,
        cast(concat(scopes.month, '-01') as date) > data_date.data_through as is_to_come
    from scopes
    cross join {{ ref('int_data_date_found') }} as data_date
    left join {{ ref('int_budget_actuals_summed') }} as actuals
        on scopes.budget_name = actuals.budget_name and scopes.month = actuals.month
    left join {{ ref('int_budget_forecasts_summed') }} as forecasts
        on scopes.budget_name = forecasts.budget_name and scopes.month = forecasts.month
),

shared as (
    select
        budget_name,
        month,
        team,
        product,
        use_case,
        service_name,
        lifecycle,
        owner,
        currency as billing_currency,
        scope_key,
        scope,
        scope_budgets,
        scope_share,
        amount as budget_amount,
        scope_amount,
        has_charges,
        expectation_basis,
        data_through,
        is_over,
        is_to_come,
        {{ exact_share('actual_cost', 'scope_share', 'is_last', 'month, currency, scope_key') }} as actual_cost,
        {{ exact_share('estimated_cost', 'scope_share', 'is_last', 'month, currency, scope_key') }} as estimated_cost,
        {{ exact_share('estimated_margin', 'scope_share', 'is_last', 'month, currency, scope_key') }}
            as estimated_margin,
        {{ exact_share('known_future_cost', 'scope_share', 'is_last', 'month, currency, scope_key') }}
            as known_future_cost,
        {{ exact_share('forecast_cost', 'scope_share', 'is_last', 'month, currency, scope_key') }} as forecast_cost,
        {{ exact_share('forecast_low', 'scope_share', 'is_last', 'month, currency, scope_key') }} as forecast_low,
        {{ exact_share('forecast_high', 'scope_share', 'is_last', 'month, currency, scope_key') }} as forecast_high
    from spent
),

told as (
    select
        *,
        cast(
            {{ exact_sum('actual_cost', exact_sum('estimated_cost', 'known_future_cost')) }} as decimal(38, 18)
        ) as told_cost
    from shared
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
),

whole as (
    select
        *,
        sum(actual_cost) over (partition by month, billing_currency, scope_key) as scope_actual,
        sum(expected_cost) over (partition by month, billing_currency, scope_key) as scope_expected,
        dense_rank() over (
            partition by month, billing_currency
            order by
                case when team is null then 0 else 1 end
                + case when product is null then 0 else 1 end
                + case when use_case is null then 0 else 1 end
                + case when service_name is null then 0 else 1 end
                + case when lifecycle is null then 0 else 1 end desc,
                case when use_case is null then 1 else 0 end,
                case when product is null then 1 else 0 end,
                case when team is null then 1 else 0 end,
                case when service_name is null then 1 else 0 end,
                {{ name_key('scope') }}
        ) as precedence
    from expected
),

judged as (
    select
        *,
        case
            when scope_actual > scope_amount then 'over'
            when is_to_come then 'not started'
            when is_over and not has_charges then 'no spend'
            when scope_expected is null then 'unknown'
            when scope_expected > scope_amount then 'at risk'
            else 'within'
        end as status
    from whole
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
    scope,
    cast(precedence as bigint) as precedence,
    scope_budgets,
    scope_share,
    cast(scope_amount as decimal(38, 18)) as scope_amount,
    budget_amount,
    cast(actual_cost as decimal(38, 18)) as actual_cost,
    cast(estimated_cost as decimal(38, 18)) as estimated_cost,
    cast(known_future_cost as decimal(38, 18)) as known_future_cost,
    cast(forecast_cost as decimal(38, 18)) as forecast_cost,
    case when not is_over then expectation_basis end as expectation_basis,
    cast(expected_cost as decimal(38, 18)) as expected_cost,
    cast(expected_low as decimal(38, 18)) as expected_low,
    cast(expected_high as decimal(38, 18)) as expected_high,
    {{ ratio('scope_actual', 'scope_amount') }} as consumed_ratio,
    {{ ratio('scope_expected', 'scope_amount') }} as expected_ratio,
    status,
    data_through
from judged
