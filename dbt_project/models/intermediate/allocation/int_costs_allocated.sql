-- Every cost after allocation: a team's own, its shares of pools, and what nobody could be found for.
-- Each pool appears only as its shares.
{% set columns = [
    'charge_date', 'team', 'product', 'use_case', 'model', 'environment', 'service_provider_name', 'service_category',
    'service_name', 'charge_category', 'lifecycle', 'lifecycle_evidence', 'allocation', 'team_evidence',
    'allocation_rule', 'driver', 'driver_quantity', 'driver_ratio', 'origin_team', 'billing_currency',
] %}

with own as (
    select
        charges.charge_date,
        charges.team,
        charges.product,
        charges.use_case,
        charges.model,
        charges.environment,
        charges.service_provider_name,
        charges.service_category,
        charges.service_name,
        charges.charge_category,
        charges.lifecycle,
        charges.lifecycle_evidence,
        case when charges.team = 'unallocated' then 'unallocated' else 'direct' end as allocation,
        charges.team_evidence,
        cast(null as string) as allocation_rule,
        cast(null as string) as driver,
        cast(null as decimal(38, 18)) as driver_quantity,
        cast(null as double) as driver_ratio,
        charges.team as origin_team,
        charges.billing_currency,
        charges.billed_cost,
        charges.effective_cost,
        charges.charge_count
    from {{ ref('int_charges_attributed') }} as charges
    where
        not exists (
            select 1 from {{ ref('int_pools_by_day') }} as pools
            where charges.charge_date = pools.charge_date and charges.team = pools.pool_team
        )
)

select
    {{ columns | join(',\n    ') }},
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    cast(sum(charge_count) as bigint) as charge_count
from own
group by {{ columns | join(', ') }}

union all

select
    {{ columns | join(',\n    ') }},
    billed_cost,
    effective_cost,
    cast(charge_count as bigint) as charge_count
from {{ ref('int_shared_cost_split') }}
