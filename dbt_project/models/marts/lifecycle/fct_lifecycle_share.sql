-- Experiments beside production, month by month: of the whole company, and of each team as after allocation, with what
-- is neither always shown. The company's rows are the sum of the teams'. Budgets are
-- those that bind experiments and nothing narrower than a team.
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
        budget_amount,
        status
    from {{ ref('fct_budget_scope') }}
    where lifecycle = 'experiment' and product is null and use_case is null and service_name is null
),

compared as (
    select
        scoped.*,
        {{ ratio('scoped.experiment_cost', 'scoped.production_cost') }} as experiment_ratio,
        {{ limit_of('experiment_to_production') }} as experiment_limit,
        budgets.budget_amount,
        budgets.status as budget_status
    from scoped
    left join budgets
        on
            scoped.month = budgets.month
            and scoped.billing_currency = budgets.billing_currency
            and coalesce({{ name_key('scoped.team') }}, '') = coalesce({{ name_key('budgets.team') }}, '')
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
    {{ ratio('experiment_cost', 'effective_cost') }} as experiment_share,
    {{ ratio('production_cost', 'effective_cost') }} as production_share,
    {{ ratio('unknown_cost', 'effective_cost') }} as unknown_share,
    experiment_ratio,
    experiment_limit,
    experiment_limit * {{ ratio('production_cost', 'effective_cost') }} as limit_share,
    case
        when production_cost <= 0 then 'no production'
        when experiment_ratio > experiment_limit then 'over'
        else 'within'
    end as status,
    cast(budget_amount as decimal(38, 18)) as experiment_budget,
    {{ ratio('experiment_cost', 'budget_amount') }} as experiment_budget_ratio,
    budget_status as experiment_budget_status
from compared
