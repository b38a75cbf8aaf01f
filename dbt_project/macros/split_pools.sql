{# The CTEs of one stage of splitting, from `<name>_received` to `<name>_shares`: the pools of the stage, with what
   earlier stages passed on to them, over their consumers. A share says in which stage it is split again, if it is.
   They read `amounts` (of pools, one measure a row) and `receivers` (teams that are pools themselves).

   Per pool and measure the shares add up to the amount to the last digit: each share is rounded once, and the last
   consumer takes the residue, and the charges, which are counted once. A pool that nobody used stays whole and
   unallocated. The residue is a sum and not a difference, because Spark drops a digit where it subtracts wide
   decimals. #}
{% macro split_stage(name, stage, earlier) %}
{{ name }}_received as (
    select
        cost_key,
        charge_date,
        billing_month,
        billing_currency,
        origin_team,
        pool,
        allocation_rule,
        driver,
        pool as allocation_path,
        measure,
        amount
    from amounts
    where stage = {{ stage }}
    {% for giver in earlier %}

    union all

    select
        shares.cost_key,
        shares.charge_date,
        shares.billing_month,
        shares.billing_currency,
        shares.origin_team,
        receivers.pool,
        receivers.rule_id as allocation_rule,
        receivers.driver,
        concat(shares.allocation_path, ' > ', receivers.pool) as allocation_path,
        shares.measure,
        shares.amount
    from {{ giver }}_shares as shares
    inner join receivers on shares.charge_date = receivers.charge_date and shares.team = receivers.team
    where shares.next_stage = {{ stage }}
    {% endfor %}
),

{{ name }}_pools as (
    select
        cost_key,
        charge_date,
        billing_month,
        billing_currency,
        origin_team,
        pool,
        allocation_rule,
        driver,
        allocation_path,
        measure,
        sum(amount) as amount
    from {{ name }}_received
    group by
        cost_key, charge_date, billing_month, billing_currency, origin_team, pool, allocation_rule, driver,
        allocation_path, measure
),

{{ name }}_parts as (
    select
        pools.*,
        coalesce(ratios.consumer_team, 'unallocated') as team,
        ratios.quantity as driver_quantity,
        ratios.ratio as driver_ratio,
        coalesce(ratios.is_last, true) as is_last,
        case
            when pools.measure = 'charge_count' then cast(0 as decimal(38, 18))
            else {{ as_amount('cast(pools.amount as double) * ratios.ratio') }}
        end as part
    from {{ name }}_pools as pools
    left join {{ ref('int_shared_cost_ratios_derived') }} as ratios
        on
            pools.charge_date = ratios.charge_date
            and pools.billing_month = ratios.billing_month
            and pools.pool = ratios.pool
            and pools.billing_currency = ratios.billing_currency
),

{{ name }}_shares as (
    select
        parts.cost_key,
        parts.charge_date,
        parts.billing_month,
        parts.billing_currency,
        parts.origin_team,
        parts.pool,
        parts.allocation_rule,
        parts.driver,
        parts.allocation_path,
        parts.team,
        parts.driver_quantity,
        parts.driver_ratio,
        parts.measure,
        case
            when parts.is_last
                then sum(case when parts.is_last then parts.amount else -parts.part end) over (
                    partition by
                        parts.cost_key, parts.origin_team, parts.pool, parts.allocation_rule, parts.driver,
                        parts.allocation_path, parts.measure
                )
            else parts.part
        end as amount,
        receivers.stage as next_stage
    from {{ name }}_parts as parts
    left join receivers on parts.charge_date = receivers.charge_date and parts.team = receivers.team
)
{% endmacro %}
