-- Every cost after allocation: a team's own, its shares of pools, and what nobody could be found for.
-- Each pool appears only as its shares.
select
    {{ cost_columns() | join(',\n    ') }},
    team as origin_team,
    team_evidence,
    case when team = 'unallocated' then 'unallocated' else 'direct' end as allocation,
    cast(null as string) as allocation_rule,
    cast(null as string) as pool,
    cast(null as string) as allocation_path,
    cast(null as string) as driver,
    cast(null as decimal(38, 18)) as driver_quantity,
    cast(null as double) as driver_ratio,
    {{ split_amounts() | join(',\n    ') }},
    charge_count
from {{ ref('int_charges_pooled') }}
where pool is null

union all

select
    {{ (cost_columns() + allocation_columns() + split_amounts()) | join(',\n    ') }},
    charge_count
from {{ ref('int_shared_cost_split') }}
