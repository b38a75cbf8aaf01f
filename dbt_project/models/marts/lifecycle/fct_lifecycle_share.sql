-- Experiments beside production, month by month: of the whole company, and of each team as after allocation, with what
-- is neither always shown. The company's rows are the sum of the teams'. The line is 30 % of production unless the plan
-- says otherwise; budgets are those that bind experiments and nothing narrower than a team.
with monthly as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency,
        sum(case when lifecycle = 'experiment' then effective_cost else 0 end) as experiment_cost,
        sum(case when lifecycle = 'production' then effective_cost else 0 end) as production_cost,
        sum(case when lifecycle = 'unknown' then effective_cost else 0 end) as unknown_cost,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_lifecycle_cost') }}
    group by {{ month_text('charge_date') }}, team, billing_currency
),

scoped as (
    select
        'team' as scope,
        month,
        team,
        billing_currency,
        experiment_cost,
        production_cost,
        unknown_cost,
        effective_cost
    from monthly
    union all
    select
        'company' as scope,
        month,
        cast(null as string) as team,
        billing_currency,
        sum(experiment_cost) as experiment_cost,
        sum(production_cost) as production_cost,
        sum(unknown_cost) as unknown_cost,
        sum(effective_cost) as effective_cost
    from monthly
    group by month, billing_currency
),

budgets as (
    select
        month,
        team,
        billing_currency,
        sum(budget_amount) as budget_amount,
        max(case status when 'over' then 3 when 'at risk' then 2 when 'within' then 1 else 0 end) as worst
    from {{ ref('fct_budget_status') }}
    where lifecycle = 'experiment' and product is null and use_case is null and service_name is null
    group by month, team, billing_currency
),

lines as (
    select min(value) as experiment_limit
    from {{ ref('int_thresholds_chosen') }}
    where measure = 'experiment_to_production' and grade = 'limit'
),

compared as (
    select
        scoped.*,
        {{ ratio('scoped.experiment_cost', 'scoped.production_cost') }} as experiment_ratio,
        lines.experiment_limit,
        budgets.budget_amount,
        budgets.worst
    from scoped
    cross join lines
    left join budgets
        on
            scoped.month = budgets.month
            and scoped.billing_currency = budgets.billing_currency
            and coalesce(scoped.team, '') = coalesce(budgets.team, '')
)

select
    month,
    scope,
    team,
    billing_currency,
    cast(experiment_cost as decimal(38, 18)) as experiment_cost,
    cast(production_cost as decimal(38, 18)) as production_cost,
    cast(unknown_cost as decimal(38, 18)) as unknown_cost,
    cast(effective_cost as decimal(38, 18)) as effective_cost,
    {{ ratio('unknown_cost', 'effective_cost') }} as unknown_share,
    experiment_ratio,
    experiment_limit,
    case
        when production_cost <= 0 then 'no production'
        when experiment_ratio > experiment_limit then 'over'
        else 'within'
    end as status,
    cast(budget_amount as decimal(38, 18)) as experiment_budget,
    {{ ratio('experiment_cost', 'budget_amount') }} as experiment_budget_ratio,
    case worst when 3 then 'over' when 2 then 'at risk' when 1 then 'within' when 0 then 'no spend' end
        as experiment_budget_status
from compared
