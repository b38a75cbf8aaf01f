-- Of each day, billing month and currency, the shares of all pools are the cost that was in them and what they saved;
-- and the ratios of each pool add up to 1.
with before as (
    select
        charge_date,
        billing_month,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        sum(coalesce(commitment_saving, 0)) as commitment_saving,
        sum(charge_count) as charge_count
    from {{ ref('int_charges_pooled') }}
    where pool is not null
    group by charge_date, billing_month, billing_currency
),

shared as (
    select
        charge_date,
        billing_month,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        sum(coalesce(commitment_saving, 0)) as commitment_saving,
        sum(charge_count) as charge_count
    from {{ ref('fct_allocated_cost') }}
    where allocation_rule is not null
    group by charge_date, billing_month, billing_currency
),

ratios as (
    select
        charge_date,
        billing_month,
        billing_currency,
        pool,
        sum(ratio) as total_ratio
    from {{ ref('int_shared_cost_ratios_derived') }}
    group by charge_date, billing_month, billing_currency, pool
)

select
    before.charge_date,
    before.billing_month,
    before.billing_currency,
    'a share was lost or won' as broken
from before
left join shared
    on
        before.charge_date = shared.charge_date
        and before.billing_month = shared.billing_month
        and before.billing_currency = shared.billing_currency
where
    shared.effective_cost is null
    or before.billed_cost <> shared.billed_cost
    or before.effective_cost <> shared.effective_cost
    or before.commitment_saving <> shared.commitment_saving
    or before.charge_count <> shared.charge_count

union all

select
    charge_date,
    billing_month,
    billing_currency,
    concat('the ratios do not add up to 1: ', pool) as broken
from ratios
where abs(total_ratio - 1) > 0.000000001
