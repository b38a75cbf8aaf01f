-- Of each pool, day and currency the shares are the cost that the pool's team had, and the ratios add up to 1.
with ratios as (
    select
        charge_date,
        pool_team,
        billing_currency,
        sum(ratio) as total_ratio
    from {{ ref('int_shared_cost_ratios_derived') }}
    group by charge_date, pool_team, billing_currency
),

pools as (
    select distinct
        charge_date,
        pool_team
    from {{ ref('int_pools_by_day') }}
),

before as (
    select
        charges.charge_date,
        charges.team as pool_team,
        charges.billing_currency,
        sum(charges.effective_cost) as effective_cost
    from {{ ref('int_charges_attributed') }} as charges
    inner join pools on charges.charge_date = pools.charge_date and charges.team = pools.pool_team
    group by charges.charge_date, charges.team, charges.billing_currency
),

shared as (
    select
        charge_date,
        origin_team as pool_team,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_allocated_cost') }}
    where allocation_rule is not null
    group by charge_date, origin_team, billing_currency
)

select
    before.charge_date,
    before.pool_team,
    before.billing_currency,
    before.effective_cost,
    shared.effective_cost as shared_cost,
    ratios.total_ratio
from before
left join shared
    on
        before.charge_date = shared.charge_date
        and before.pool_team = shared.pool_team
        and before.billing_currency = shared.billing_currency
left join ratios
    on
        before.charge_date = ratios.charge_date
        and before.pool_team = ratios.pool_team
        and before.billing_currency = ratios.billing_currency
where
    shared.effective_cost is null
    or shared.effective_cost <> before.effective_cost
    or abs(ratios.total_ratio - 1) > 0.000000001
