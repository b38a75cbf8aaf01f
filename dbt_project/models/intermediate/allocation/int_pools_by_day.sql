-- Which rule splits which team's cost on which day, and over whom.
-- Where two rules claim a pool, the first by name has it.
with valid as (
    select distinct
        days.charge_date,
        rules.pool_team,
        rules.rule_id,
        rules.driver,
        rules.consumer_team
    from {{ ref('int_rules_by_day') }} as days
    inner join {{ ref('stg_shared_cost_rule') }} as rules
        on
            (rules.valid_from is null or days.charge_date >= rules.valid_from)
            and (rules.valid_to is null or days.charge_date < rules.valid_to)
),

ranked as (
    select
        *,
        dense_rank() over (partition by charge_date, pool_team order by rule_id, driver) as claim_rank
    from valid
)

select
    charge_date,
    pool_team,
    rule_id,
    driver,
    consumer_team
from ranked
where claim_rank = 1
