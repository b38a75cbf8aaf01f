-- Every cost after allocation: a team's own, its shares of pools, and what nobody could be found for.
-- Pools are split in up to three stages, to the last digit: one that receives from no other in the first, one that
-- receives from it in the second or third. Each pool appears only as its shares, and what one passed on to another only
-- as the shares of that. Where the plan registers teams, what is of another team is of nobody who is
-- known to answer for it: unregistered, however it came there.
with receivers as (
    select distinct
        charge_date,
        pool_value as team,
        stage,
        pool,
        rule_id,
        driver
    from {{ ref('int_pools_by_day') }}
    where pool_field = 'team' and pool_value <> 'unallocated' and stage is not null
),

consumers as (
    select
        periods.rules_as_of,
        periods.valid_to,
        decided.consumer_team,
        decided.cost_center,
        decided.business_unit
    from {{ ref('int_subjects_attributed') }} as decided
    inner join {{ ref('stg_rule_period') }} as periods on decided.rules_as_of = periods.rules_as_of
    where decided.consumer_team is not null
),

{{ split_stage('first', 1, []) }},

{{ split_stage('second', 2, ['first']) }},

{{ split_stage('third', 3, ['first', 'second']) }},

owned as (
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
    {% for stage in ['first', 'second', 'third'] %}

    union all

    select
        {{ (cost_columns() + allocation_columns() + split_amounts()) | join(',\n        ') }},
        charge_count
    from {{ stage }}_shares
    where next_stage is null
    {% endfor %}
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
