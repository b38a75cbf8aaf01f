-- Which rule splits which pool on which day, over whom, and in which stage. Where two rules claim a pool, the first by
-- name has it. A pool that receives from no other is split in the first stage, one that receives only from those in the
-- second, and so on to the third. A pool that waits for itself, or needs a fourth stage, has no stage and is not split.
with rules as (
    select
        rule_id,
        coalesce(pool_field, 'team') as pool_field,
        coalesce(pool_value, pool_team) as pool_value,
        driver,
        consumer_team,
        share,
        valid_from,
        valid_to
    from {{ ref('stg_shared_cost_rule') }}
    where consumer_team <> 'unallocated'
),

days as (
    select charge_date from {{ ref('int_charges_by_day') }}
    union distinct
    select cast(usage_start as date) as charge_date from {{ ref('stg_ai_usage') }}
),

valid as (
    select
        days.charge_date,
        rules.pool_field,
        rules.pool_value,
        rules.rule_id,
        rules.driver,
        rules.consumer_team,
        max(rules.share) as share
    from days
    inner join rules
        on
            (rules.valid_from is null or days.charge_date >= rules.valid_from)
            and (rules.valid_to is null or days.charge_date < rules.valid_to)
    group by
        days.charge_date, rules.pool_field, rules.pool_value, rules.rule_id, rules.driver, rules.consumer_team
),

ranked as (
    select
        *,
        dense_rank() over (partition by charge_date, pool_field, pool_value order by rule_id, driver) as claim_rank
    from valid
),

claims as (
    select *
    from ranked
    where claim_rank = 1
),

pools as (
    select distinct
        charge_date,
        pool_field,
        pool_value
    from claims
),

feeds as (
    select
        claims.charge_date,
        claims.pool_field,
        claims.pool_value,
        pools.pool_value as fed_team
    from claims
    inner join pools
        on
            claims.charge_date = pools.charge_date
            and pools.pool_field = 'team'
            and claims.consumer_team = pools.pool_value
),

first_stage as (
    select pools.*
    from pools
    left join feeds
        on pools.charge_date = feeds.charge_date and pools.pool_field = 'team' and pools.pool_value = feeds.fed_team
    where feeds.fed_team is null
),

second_stage as (
    select
        feeds.charge_date,
        'team' as pool_field,
        feeds.fed_team as pool_value
    from feeds
    left join first_stage
        on
            feeds.charge_date = first_stage.charge_date
            and feeds.pool_field = first_stage.pool_field
            and feeds.pool_value = first_stage.pool_value
    group by feeds.charge_date, feeds.fed_team
    having count(*) = count(first_stage.pool_value)
),

before_third as (
    select * from first_stage
    union all
    select * from second_stage
),

third_stage as (
    select
        feeds.charge_date,
        'team' as pool_field,
        feeds.fed_team as pool_value
    from feeds
    left join before_third
        on
            feeds.charge_date = before_third.charge_date
            and feeds.pool_field = before_third.pool_field
            and feeds.pool_value = before_third.pool_value
    group by feeds.charge_date, feeds.fed_team
    having count(*) = count(before_third.pool_value)
),

stages as (
    select
        charge_date,
        pool_field,
        pool_value,
        min(stage) as stage
    from (
        select
            *,
            1 as stage
        from first_stage
        union all
        select
            *,
            2 as stage
        from second_stage
        union all
        select
            *,
            3 as stage
        from third_stage
    ) as found
    group by charge_date, pool_field, pool_value
)

select
    claims.charge_date,
    claims.pool_field,
    claims.pool_value,
    case claims.pool_field
        when 'team' then claims.pool_value
        else concat(claims.pool_field, ':', claims.pool_value)
    end as pool,
    claims.rule_id,
    claims.driver,
    claims.consumer_team,
    claims.share,
    stages.stage
from claims
left join stages
    on
        claims.charge_date = stages.charge_date
        and claims.pool_field = stages.pool_field
        and claims.pool_value = stages.pool_value
