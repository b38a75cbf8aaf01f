-- Every cost after allocation: a team's own, its shares of pools, and what nobody could be found for.
-- Each pool appears only as its shares. Where the plan registers teams, what is of another team is of nobody who is
-- known to answer for it: unregistered, however it came there.
with owned as (
    select
        {{ cost_columns() | join(',\n        ') }},
        team as origin_team,
        team_evidence,
        case when team = 'unallocated' then 'unallocated' else 'direct' end as allocation,
        cast(null as string) as allocation_rule,
        cast(null as string) as pool,
        cast(null as string) as allocation_path,
        cast(null as string) as driver,
        cast(null as decimal(38, 18)) as driver_quantity,
        cast(null as double) as driver_ratio,
        {{ split_amounts() | join(',\n        ') }},
        charge_count
    from {{ ref('int_charges_pooled') }}
    where pool is null

    union all

    select
        {{ (cost_columns() + allocation_columns() + split_amounts()) | join(',\n        ') }},
        charge_count
    from {{ ref('int_shared_cost_split') }}
),

registered as (
    select distinct subject as team
    from {{ ref('stg_owner') }}
    where subject_kind = 'team'
),

registers as (
    select count(*) as teams
    from registered
)

select
    {% for column in cost_columns() + allocation_columns() -%}
    {% if column == 'allocation' -%}
    case
        when owned.allocation = 'unallocated' or registered.team is not null then owned.allocation
        when registers.teams = 0 then owned.allocation
        else 'unregistered'
    end as allocation,
    {% else -%}
    owned.{{ column }},
    {% endif %}
    {%- endfor -%}
    {% for amount in split_amounts() -%}
    owned.{{ amount }},
    {% endfor -%}
    owned.charge_count
from owned
cross join registers
left join registered on owned.team = registered.team
