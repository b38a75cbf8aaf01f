{# The CTEs of one stage of splitting, from `<name>_received` to `<name>_shares`: the pools of the stage, with what
   earlier stages passed on to them, over their consumers. A share says in which stage it is split again, if it is.
   They read `receivers` (teams that are pools themselves) and `consumers` (who takes shares).

   Per pool row the shares add up to its amounts to the last digit: each share is rounded once, and the last consumer
   takes the residue. A pool that nobody used stays whole and unallocated. The residue is a sum and not a difference,
   because Spark drops a digit where it subtracts wide decimals. #}
{% macro split_stage(name, stage, earlier) %}
{% set passed = cost_columns() + ['origin_team', 'charge_count'] + split_amounts() %}
{% set pool_row = (
    cost_columns() | reject('in', ['team', 'cost_center', 'business_unit']) | list
) + ['origin_team', 'pool', 'allocation_rule', 'driver', 'allocation_path'] %}
{{ name }}_received as (
    select
        {{ cost_columns() | join(',\n        ') }},
        team as origin_team,
        charge_count{% for amount in split_amounts() %},
        {{ amount }}{% endfor %},
        pool,
        allocation_rule,
        driver,
        pool as allocation_path
    from {{ ref('int_charges_pooled') }}
    where stage = {{ stage }}
    {% for giver in earlier %}

    union all

    select
        {% for column in passed %}shares.{{ column }},
        {% endfor -%}
        receivers.pool,
        receivers.rule_id as allocation_rule,
        receivers.driver,
        concat(shares.allocation_path, ' > ', receivers.pool) as allocation_path
    from {{ giver }}_shares as shares
    inner join receivers on shares.charge_date = receivers.charge_date and shares.team = receivers.team
    where shares.next_stage = {{ stage }}
    {% endfor %}
),

{{ name }}_pools as (
    select
        {{ pool_row | join(',\n        ') }},
        {{ row_key(pool_row) }} as pool_row_key{% for amount in split_amounts() %},
        sum({{ amount }}) as {{ amount }}{% endfor %},
        cast(sum(charge_count) as bigint) as charge_count
    from {{ name }}_received
    group by {{ pool_row | join(', ') }}
),

{{ name }}_parts as (
    select
        pools.*,
        ratios.consumer_team,
        ratios.quantity as driver_quantity,
        ratios.ratio as driver_ratio,
        coalesce(ratios.is_last, true) as is_last{% for amount in split_amounts() %},
        {{ as_amount('cast(pools.' ~ amount ~ ' as double) * ratios.ratio') }} as {{ amount }}_share{% endfor %}

    from {{ name }}_pools as pools
    left join {{ ref('int_shared_cost_ratios_derived') }} as ratios
        on
            pools.charge_date = ratios.charge_date
            and pools.billing_month = ratios.billing_month
            and pools.pool = ratios.pool
            and pools.billing_currency = ratios.billing_currency
),

{{ name }}_residues as (
    select
        *{% for amount in split_amounts() %},
        sum(case when is_last then {{ amount }} else -{{ amount }}_share end) over (
            partition by pool_row_key
        ) as {{ amount }}_residue{% endfor %}

    from {{ name }}_parts
),

{{ name }}_shares as (
    select
        {% for column in cost_columns() -%}
        {% if column == 'team' -%}
        coalesce(residues.consumer_team, 'unallocated') as team,
        {% elif column in ['cost_center', 'business_unit'] -%}
        coalesce(consumers.{{ column }}, 'unallocated') as {{ column }},
        {% else -%}
        residues.{{ column }},
        {% endif %}
        {%- endfor -%}
        residues.origin_team,
        case
            when coalesce(residues.consumer_team, 'unallocated') = 'unallocated' then 'none'
            else concat('shared:', residues.allocation_rule)
        end as team_evidence,
        case
            when coalesce(residues.consumer_team, 'unallocated') = 'unallocated' then 'unallocated'
            else 'shared'
        end as allocation,
        residues.allocation_rule,
        residues.pool,
        residues.allocation_path,
        residues.driver,
        residues.driver_quantity,
        residues.driver_ratio,
        receivers.stage as next_stage{% for amount in split_amounts() %},
        case
            when residues.is_last then residues.{{ amount }}_residue else residues.{{ amount }}_share
        end as {{ amount }}{% endfor %},
        case when residues.is_last then residues.charge_count else 0 end as charge_count
    from {{ name }}_residues as residues
    left join consumers
        on residues.consumer_team = consumers.consumer_team and {{ in_period('residues.charge_date', 'consumers') }}
    left join receivers
        on residues.charge_date = receivers.charge_date and residues.consumer_team = receivers.team
)
{% endmacro %}
