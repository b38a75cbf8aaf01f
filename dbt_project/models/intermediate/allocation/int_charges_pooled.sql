-- What teams cost before any pool is split, and which pool has it. Of a charge that is in several pools its kind has
-- it, then its service, then its team.
{% set own = cost_columns() + ['team_evidence'] %}
{% set grain = own + ['pool', 'pool_field', 'allocation_rule', 'driver', 'stage'] %}

with pools as (
    select distinct
        charge_date,
        pool_field,
        pool_value,
        pool,
        rule_id,
        driver,
        stage
    from {{ ref('int_pools_by_day') }}
    where stage is not null
),

charges as (
    select
        {{ own | join(',\n        ') }},
        billed_cost,
        effective_cost,
        commitment_saving,
        cast(0 as decimal(38, 18)) as estimated_cost,
        cast(0 as decimal(38, 18)) as estimated_margin,
        case when is_spread then effective_cost else cast(0 as decimal(38, 18)) end as spread_cost,
        case
            when is_spread and is_recurring then effective_cost else cast(0 as decimal(38, 18))
        end as standing_cost,
        charge_count
    from {{ ref('int_charges_attributed') }}

    union all

    select
        {{ own | join(',\n        ') }},
        cast(0 as decimal(38, 18)) as billed_cost,
        cast(0 as decimal(38, 18)) as effective_cost,
        cast(null as decimal(38, 18)) as commitment_saving,
        estimated_cost,
        estimated_margin,
        case when is_spread then estimated_cost else cast(0 as decimal(38, 18)) end as spread_cost,
        case when is_spread then estimated_cost else cast(0 as decimal(38, 18)) end as standing_cost,
        0 as charge_count
    from {{ ref('int_charges_estimated') }}
),

placed as (
    select
        {% for column in own + split_amounts() + ['charge_count'] %}charges.{{ column }},
        {% endfor -%}
        coalesce(of_charge_kind.pool, of_service_name.pool, of_team.pool) as pool,
        case
            when of_charge_kind.pool is not null then 'charge_kind'
            when of_service_name.pool is not null then 'service_name'
            when of_team.pool is not null then 'team'
        end as pool_field,
        coalesce(of_charge_kind.rule_id, of_service_name.rule_id, of_team.rule_id) as allocation_rule,
        coalesce(of_charge_kind.driver, of_service_name.driver, of_team.driver) as driver,
        coalesce(of_charge_kind.stage, of_service_name.stage, of_team.stage) as stage
    from charges
    {% for field in ['charge_kind', 'service_name', 'team'] %}
    left join pools as of_{{ field }}
        on
            charges.charge_date = of_{{ field }}.charge_date
            and {{ name_key('charges.service_name') if field == 'service_name' else 'charges.' ~ field }}
            = {{ name_key('of_service_name.pool_value') if field == 'service_name' else 'of_' ~ field ~ '.pool_value' }}
            and of_{{ field }}.pool_field = '{{ field }}'
    {% endfor %}
)

select
    {{ grain | join(',\n    ') }},
    {% for amount in split_amounts() %}sum({{ amount }}) as {{ amount }},
    {% endfor -%}
    cast(sum(charge_count) as bigint) as charge_count
from placed
group by {{ grain | join(', ') }}
