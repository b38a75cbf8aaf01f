-- What the rest of each budget's month is expected to cost, from the latest forecast's days after the last day of data.
-- Forecast are everything and every team. Where a budget binds something narrower, or a team too new to be forecast, it
-- takes the share of its team's forecast, else of everything's, that it had of their cost on the last days of data.
-- A budget that no charge of those days is bound by has no share, and no row: what is silent is unknown and not free.
-- What was known of those days when it was made is left out: the bill says it. The bounds of the days are added up,
-- which is wider than the interval of their sum.
with thresholds as (
    select min(value) as share_days
    from {{ ref('dim_threshold') }}
    where measure = 'budget_share_days'
),

ahead as (
    select
        {{ month_text('forecasts.charge_date') }} as month,
        forecasts.scope,
        case when forecasts.scope = 'team' then {{ name_key('forecasts.scope_value') }} end as team,
        forecasts.currency,
        sum(forecasts.expected - coalesce(forecasts.known_cost, 0)) as expected,
        sum(forecasts.low - coalesce(forecasts.known_cost, 0)) as low,
        sum(forecasts.high - coalesce(forecasts.known_cost, 0)) as high
    from {{ ref('stg_forecast') }} as forecasts
    inner join {{ ref('int_latest_forecast_found') }} as latest on forecasts.forecast_id = latest.forecast_id
    inner join {{ ref('int_data_date_found') }} as data_date on forecasts.charge_date > data_date.data_through
    group by
        {{ month_text('forecasts.charge_date') }},
        forecasts.scope,
        case when forecasts.scope = 'team' then {{ name_key('forecasts.scope_value') }} end,
        forecasts.currency
),

recent as (
    select
        costs.team,
        costs.product,
        costs.use_case,
        costs.service_name,
        costs.lifecycle,
        costs.billing_currency,
        sum(costs.effective_cost) as effective_cost
    from {{ ref('int_costs_allocated') }} as costs
    inner join {{ ref('int_data_date_found') }} as data_date on costs.charge_date <= data_date.data_through
    inner join thresholds
        on
            {{ dbt.datediff('costs.charge_date', 'data_date.data_through', 'day') }}
            < thresholds.share_days
    group by
        costs.team, costs.product, costs.use_case, costs.service_name, costs.lifecycle, costs.billing_currency
),

followed as (
    select
        budgets.budget_name,
        budgets.month,
        budgets.team,
        budgets.product,
        budgets.use_case,
        budgets.service_name,
        budgets.lifecycle,
        budgets.currency,
        coalesce(teams.expected, everything.expected) as expected,
        coalesce(teams.low, everything.low) as low,
        coalesce(teams.high, everything.high) as high,
        teams.expected is not null as follows_team,
        (budgets.team is null or teams.expected is not null)
        and budgets.product is null
        and budgets.use_case is null
        and budgets.service_name is null
        and budgets.lifecycle is null as is_forecast
    from {{ ref('stg_budget') }} as budgets
    left join ahead as everything
        on
            everything.scope = 'total'
            and budgets.month = everything.month
            and budgets.currency = everything.currency
    left join ahead as teams
        on
            teams.scope = 'team'
            and budgets.month = teams.month
            and budgets.currency = teams.currency
            and {{ name_key('budgets.team') }} = teams.team
    where coalesce(teams.expected, everything.expected) is not null
),

compared as (
    select
        followed.budget_name,
        followed.month,
        sum(
            case
                when
                    (
                        followed.team is null
                        or {{ name_key('followed.team') }} = {{ name_key('recent.team') }}
                    )
                    and (
                        followed.product is null
                        or {{ name_key('followed.product') }} = {{ name_key('recent.product') }}
                    )
                    and (
                        followed.use_case is null
                        or {{ name_key('followed.use_case') }} = {{ name_key('recent.use_case') }}
                    )
                    and (
                        followed.service_name is null
                        or {{ name_key('followed.service_name') }} = {{ name_key('recent.service_name') }}
                    )
                    and (followed.lifecycle is null or followed.lifecycle = recent.lifecycle)
                    then recent.effective_cost
            end
        ) as bound_cost,
        sum(
            case
                when
                    not followed.follows_team
                    or {{ name_key('followed.team') }} = {{ name_key('recent.team') }}
                    then recent.effective_cost
            end
        ) as followed_cost
    from followed
    inner join recent on followed.currency = recent.billing_currency
    where not followed.is_forecast
    group by followed.budget_name, followed.month
),

shared as (
    select
        followed.*,
        case
            when followed.is_forecast then 1.0
            when compared.bound_cost > 0 and compared.bound_cost <= compared.followed_cost
                then {{ ratio('compared.bound_cost', 'compared.followed_cost') }}
        end as forecast_share
    from followed
    left join compared on followed.budget_name = compared.budget_name and followed.month = compared.month
)

select
    budget_name,
    month,
    case
        when is_forecast then 'own forecast'
        when follows_team then 'share of team forecast'
        else 'share of total forecast'
    end as expectation_basis,
    {{ as_amount('expected * forecast_share') }} as expected,
    {{ as_amount('low * forecast_share') }} as low,
    {{ as_amount('high * forecast_share') }} as high
from shared
where forecast_share is not null
