-- The cost of every pool, split over its consumers. Per pool row the shares add up to its amounts to the last digit:
-- each share is rounded once, and the last consumer takes the residue. A pool that nobody used stays whole and
-- unallocated. The residue is a sum and not a difference, because Spark drops a digit where it subtracts wide decimals.
{% set pool_row = [
    'charge_date', 'product', 'use_case', 'model', 'environment', 'service_provider_name', 'service_category',
    'service_name', 'charge_category', 'lifecycle', 'lifecycle_evidence', 'billing_currency',
] %}

with pools as (
    select distinct
        charge_date,
        pool_team,
        rule_id,
        driver
    from {{ ref('int_pools_by_day') }}
),

pool_rows as (
    select
        {% for column in pool_row %}charges.{{ column }},
        {% endfor -%}
        charges.team as origin_team,
        pools.rule_id,
        pools.driver,
        sum(charges.billed_cost) as billed_cost,
        sum(charges.effective_cost) as effective_cost,
        sum(charges.charge_count) as charge_count
    from {{ ref('int_charges_attributed') }} as charges
    inner join pools on charges.charge_date = pools.charge_date and charges.team = pools.pool_team
    group by
        {% for column in pool_row %}charges.{{ column }},
        {% endfor -%}
        charges.team,
        pools.rule_id,
        pools.driver
),

shares as (
    select
        pool_rows.*,
        ratios.consumer_team,
        ratios.quantity,
        ratios.ratio,
        coalesce(ratios.is_last, true) as is_last,
        {{ as_amount('cast(pool_rows.billed_cost as double) * ratios.ratio') }} as billed_share,
        {{ as_amount('cast(pool_rows.effective_cost as double) * ratios.ratio') }} as effective_share
    from pool_rows
    left join {{ ref('int_shared_cost_ratios_derived') }} as ratios
        on
            pool_rows.charge_date = ratios.charge_date
            and pool_rows.origin_team = ratios.pool_team
            and pool_rows.billing_currency = ratios.billing_currency
),

residues as (
    select
        *,
        sum(case when is_last then billed_cost else -billed_share end) over (
            partition by {{ pool_row | join(', ') }}, origin_team
        ) as billed_residue,
        sum(case when is_last then effective_cost else -effective_share end) over (
            partition by {{ pool_row | join(', ') }}, origin_team
        ) as effective_residue
    from shares
)

select
    {{ pool_row | join(',\n    ') }},
    origin_team,
    coalesce(consumer_team, 'unallocated') as team,
    case when consumer_team is null then 'none' else concat('shared:', rule_id) end as team_evidence,
    case when consumer_team is null then 'unallocated' else 'shared' end as allocation,
    rule_id as allocation_rule,
    driver,
    quantity as driver_quantity,
    ratio as driver_ratio,
    case when is_last then billed_residue else billed_share end as billed_cost,
    case when is_last then effective_residue else effective_share end as effective_cost,
    case when is_last then charge_count else 0 end as charge_count
from residues
