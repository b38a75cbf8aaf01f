-- Each budget's month: what it binds, what was allowed, spent, and is expected by its end. Budgets of one scope (team,
-- product, use case, service, lifecycle and currency) in a month add up and are judged together; each has its share of
-- the scope's cost, so that every charge is in the scope's budgets once. Scopes that overlap are each judged by
-- themselves and never added. An open month without a forecast has no expectation, because the days to come are
-- unknown and not free.
-- What was spent is the allocated cost of everything the budget binds, through the last day of data; beside it what
-- days not reported yet are estimated to cost, and what is known of the days to come: those of charges longer than a
-- day.
-- What the rest of the month is expected to cost is of the latest forecast's days after the last day of data. Forecast
-- are everything and every team. Where a budget binds something narrower, or a team too new to be forecast, it takes
-- the share of its team's forecast, else of everything's, that it had of their cost on the last days of data. What was
-- silent on those days has no share: it is unknown and not free. What was known of the days to come when the forecast
-- was made is left out of it: the bill says it. The bounds of the days are added up, which is wider than the interval
-- of their sum.
with data_date as (
    select
        data_through,
        {{ limit_of('budget_share_days') }} as share_days
    from {{ ref('int_data_date_found') }}
),

spelt_teams as (
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

costs as (
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
        sum(costs.estimated_margin) as estimated_margin,
        sum(
            case
                when
                    costs.charge_date <= data_date.data_through
                    and {{ dbt.datediff('costs.charge_date', 'data_date.data_through', 'day') }} < data_date.share_days -- noqa: LT05
                    then costs.effective_cost
            end
        ) as recent_cost
    from {{ ref('int_costs_allocated') }} as costs
    cross join data_date
    group by
        {{ month_text('costs.charge_date') }}, costs.team, costs.product, costs.use_case, costs.service_name,
        costs.lifecycle, costs.billing_currency
),

actuals as (
    select
        budgets.budget_name,
        budgets.month,
        sum(costs.effective_cost) as actual_cost,
        sum(costs.estimated_cost) as estimated_cost,
        sum(costs.estimated_margin) as estimated_margin,
        sum(costs.known_future_cost) as known_future_cost
    from budgets
    inner join costs
        on
            budgets.month = costs.month
            and budgets.currency = costs.billing_currency
            and {{ budget_binds('budgets', 'costs') }}
    group by budgets.budget_name, budgets.month
),

days_to_come as (
    select
        {{ month_text('days.charge_date') }} as month,
        days.scope,
        case when days.scope = 'team' then {{ name_key('days.scope_value') }} end as team_key,
        days.currency,
        sum(days.expected - coalesce(days.known_cost, 0)) as expected,
        sum(days.low - coalesce(days.known_cost, 0)) as low,
        sum(days.high - coalesce(days.known_cost, 0)) as high
    from {{ ref('stg_forecast') }} as days
    inner join data_date on days.charge_date > data_date.data_through
    where days.forecast_id = {{ latest_forecast() }}
    group by
        {{ month_text('days.charge_date') }},
        days.scope,
        case when days.scope = 'team' then {{ name_key('days.scope_value') }} end,
        days.currency
),

-- The forecast that each budget has a part of: its team's, else everything's.
followed as (
    select
        budgets.*,
        coalesce(teams.expected, everything.expected) as expected,
        coalesce(teams.low, everything.low) as low,
        coalesce(teams.high, everything.high) as high,
        teams.expected is not null as follows_team,
        (budgets.team is null or teams.expected is not null)
        and budgets.product is null
        and budgets.use_case is null
        and budgets.service_name is null
        and budgets.lifecycle is null as is_forecast
    from budgets
    left join days_to_come as everything
        on
            everything.scope = 'total'
            and budgets.month = everything.month
            and budgets.currency = everything.currency
    left join days_to_come as teams
        on
            teams.scope = 'team'
            and budgets.month = teams.month
            and budgets.currency = teams.currency
            and {{ name_key('budgets.team') }} = teams.team_key
    where coalesce(teams.expected, everything.expected) is not null
),

parts as (
    select
        followed.budget_name,
        followed.month,
        sum(case when {{ budget_binds('followed', 'costs') }} then costs.recent_cost end) as bound_cost,
        sum(
            case
                when
                    not followed.follows_team
                    or {{ name_key('followed.team') }} = {{ name_key('costs.team') }}
                    then costs.recent_cost
            end
        ) as followed_cost
    from followed
    inner join costs on followed.currency = costs.billing_currency and costs.recent_cost is not null
    where not followed.is_forecast
    group by followed.budget_name, followed.month
),

forecasts as (
    select
        followed.budget_name,
        followed.month,
        case
            when followed.is_forecast then 'own forecast'
            when followed.follows_team then 'share of team forecast'
            else 'share of total forecast'
        end as expectation_basis,
        followed.expected,
        followed.low,
        followed.high,
        case
            when followed.is_forecast then 1.0
            when parts.bound_cost > 0 and parts.bound_cost <= parts.followed_cost
                then {{ ratio('parts.bound_cost', 'parts.followed_cost') }}
        end as forecast_share
    from followed
    left join parts on followed.budget_name = parts.budget_name and followed.month = parts.month
),

-- Of the whole scope: what each of its budgets has a share of.
whole_scopes as (
    select
        scopes.*,
        coalesce(
            {{ ratio('scopes.amount', 'scopes.scope_amount') }},
            case when scopes.is_last then 1.0 else 0.0 end
        ) as scope_share,
        coalesce(actuals.actual_cost, cast(0 as decimal(38, 18))) as whole_actual,
        coalesce(actuals.estimated_cost, cast(0 as decimal(38, 18))) as whole_estimated,
        coalesce(actuals.estimated_margin, cast(0 as decimal(38, 18))) as whole_margin,
        coalesce(actuals.known_future_cost, cast(0 as decimal(38, 18))) as whole_known_future,
        actuals.budget_name is not null as has_charges,
        forecasts.expectation_basis,
        {{ as_amount('forecasts.expected * forecasts.forecast_share') }} as whole_forecast,
        {{ as_amount('forecasts.low * forecasts.forecast_share') }} as whole_low,
        {{ as_amount('forecasts.high * forecasts.forecast_share') }} as whole_high,
        data_date.data_through,
        {{ dbt.last_day("cast(concat(scopes.month, '-01') as date)", 'month') }} <= data_date.data_through as is_over,
        cast(concat(scopes.month, '-01') as date) > data_date.data_through as is_to_come
    from scopes
    cross join data_date
    left join actuals on scopes.budget_name = actuals.budget_name and scopes.month = actuals.month
    left join forecasts
        on
            scopes.budget_name = forecasts.budget_name
            and scopes.month = forecasts.month
            and forecasts.forecast_share is not null
),

shared as (
    select
        *,
        {{ exact_share('whole_actual', 'scope_share', 'is_last', 'month, currency, scope_key') }} as actual_cost,
        {{ exact_share('whole_estimated', 'scope_share', 'is_last', 'month, currency, scope_key') }} as estimated_cost,
        {{ exact_share('whole_margin', 'scope_share', 'is_last', 'month, currency, scope_key') }} as estimated_margin,
        {{ exact_share('whole_known_future', 'scope_share', 'is_last', 'month, currency, scope_key') }}
            as known_future_cost,
        {{ exact_share('whole_forecast', 'scope_share', 'is_last', 'month, currency, scope_key') }} as forecast_cost,
        {{ exact_share('whole_low', 'scope_share', 'is_last', 'month, currency, scope_key') }} as forecast_low,
        {{ exact_share('whole_high', 'scope_share', 'is_last', 'month, currency, scope_key') }} as forecast_high
    from whole_scopes
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

compared as (
    select
        *,
        sum(actual_cost) over (partition by month, currency, scope_key) as scope_actual,
        sum(expected_cost) over (partition by month, currency, scope_key) as scope_expected,
        dense_rank() over (
            partition by month, currency
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
    from compared
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
    currency as billing_currency,
    scope,
    cast(precedence as bigint) as precedence,
    scope_budgets,
    scope_share,
    cast(scope_amount as decimal(38, 18)) as scope_amount,
    amount as budget_amount,
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
