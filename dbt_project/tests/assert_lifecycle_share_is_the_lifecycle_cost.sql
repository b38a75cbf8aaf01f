-- Every month's experiments, production and unknown are those of fct_lifecycle_cost, of the teams and of the company.
with daily as (
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        sum(case when lifecycle = 'experiment' then effective_cost else 0 end) as experiment_cost,
        sum(case when lifecycle = 'production' then effective_cost else 0 end) as production_cost,
        sum(case when lifecycle = 'unknown' then effective_cost else 0 end) as unknown_cost
    from {{ ref('fct_lifecycle_cost') }}
    group by {{ month_text('charge_date') }}, billing_currency
),

shares as (
    select
        month,
        scope,
        billing_currency,
        sum(experiment_cost) as experiment_cost,
        sum(production_cost) as production_cost,
        sum(unknown_cost) as unknown_cost
    from {{ ref('fct_lifecycle_share') }}
    group by month, scope, billing_currency
),

scopes (scope) as (
    select *
    from (values ('team'), ('company'))
)

select
    daily.month,
    daily.billing_currency,
    scopes.scope
from daily
cross join scopes
left join shares
    on
        daily.month = shares.month
        and daily.billing_currency = shares.billing_currency
        and scopes.scope = shares.scope
where
    shares.month is null
    or daily.experiment_cost <> shares.experiment_cost
    or daily.production_cost <> shares.production_cost
    or daily.unknown_cost <> shares.unknown_cost
