{# The CTEs that split pools over their consumers, from one named `received`: the costs in the pools of one stage, each
   with origin_team, pool, allocation_rule, driver and the allocation_path that brought it there.

   Per pool row the shares add up to its amounts to the last digit: each share is rounded once, and the last consumer
   takes the residue. A pool that nobody used stays whole and unallocated. The residue is a sum and not a difference,
   because Spark drops a digit where it subtracts wide decimals. #}
{% macro split_pools() %}
{% set pool_row = (
    cost_columns() | reject('in', ['team', 'cost_center', 'business_unit']) | list
) + ['origin_team', 'pool', 'allocation_rule', 'driver', 'allocation_path'] %}
pool_rows as (
    select
        {{ pool_row | join(',\n        ') }},
        {{ row_key(pool_row) }} as pool_row_key{% for amount in split_amounts() %},
        sum({{ amount }}) as {{ amount }}{% endfor %},
        cast(sum(charge_count) as bigint) as charge_count
    from received
    group by {{ pool_row | join(', ') }}
),

shares as (
    select
        pool_rows.*,
        ratios.consumer_team,
        ratios.quantity as driver_quantity,
        ratios.ratio as driver_ratio,
        coalesce(ratios.is_last, true) as is_last{% for amount in split_amounts() %},
        {{ as_amount('cast(pool_rows.' ~ amount ~ ' as double) * ratios.ratio') }} as {{ amount }}_share{% endfor %}

    from pool_rows
    left join {{ ref('int_shared_cost_ratios_derived') }} as ratios
        on
            pool_rows.charge_date = ratios.charge_date
            and pool_rows.billing_month = ratios.billing_month
            and pool_rows.pool = ratios.pool
            and pool_rows.billing_currency = ratios.billing_currency
),

residues as (
    select
        *{% for amount in split_amounts() %},
        sum(case when is_last then {{ amount }} else -{{ amount }}_share end) over (
            partition by pool_row_key
        ) as {{ amount }}_residue{% endfor %}

    from shares
),

consumers as (
    select
        days.charge_date,
        decided.consumer_team,
        decided.cost_center,
        decided.business_unit
    from {{ ref('int_dimensions_decided') }} as decided
    inner join {{ ref('int_rules_by_day') }} as days on decided.rules_as_of = days.rules_as_of
    where decided.consumer_team is not null
),

receivers as (
    select distinct
        charge_date,
        pool_value as team,
        stage
    from {{ ref('int_pools_by_day') }}
    where pool_field = 'team' and pool_value <> 'unallocated' and stage is not null
)

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
from residues
left join consumers
    on residues.charge_date = consumers.charge_date and residues.consumer_team = consumers.consumer_team
left join receivers
    on residues.charge_date = receivers.charge_date and residues.consumer_team = receivers.team
{% endmacro %}

{# The costs that wait in the pools of a stage: charges of their own, and what earlier stages (models) passed on. #}
{% macro received_in_stage(stage, earlier) %}
{% set passed = cost_columns() + ['origin_team', 'charge_count'] + split_amounts() %}
{% if earlier %}
pool_rules as (
    select distinct
        charge_date,
        pool_value as team,
        pool,
        rule_id,
        driver
    from {{ ref('int_pools_by_day') }}
    where pool_field = 'team' and stage = {{ stage }}
),

{% endif %}
received as (
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
    {% for model in earlier %}

    union all

    select
        {% for column in passed %}shares.{{ column }},
        {% endfor -%}
        pool_rules.pool,
        pool_rules.rule_id as allocation_rule,
        pool_rules.driver,
        concat(shares.allocation_path, ' > ', pool_rules.pool) as allocation_path
    from {{ ref(model) }} as shares
    inner join pool_rules on shares.charge_date = pool_rules.charge_date and shares.team = pool_rules.team
    where shares.next_stage = {{ stage }}
    {% endfor %}
)
{% endmacro %}
