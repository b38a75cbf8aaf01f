-- No pool receives, through others, from itself, and none comes after three others: each row names one that does, the
-- pool it waits for and the rule that makes it wait.
select
    waiting.pool,
    feeding.pool as waits_for,
    feeding.rule_id,
    min(waiting.charge_date) as first_date
from {{ ref('int_pools_by_day') }} as waiting
inner join {{ ref('int_pools_by_day') }} as feeding
    on
        waiting.charge_date = feeding.charge_date
        and waiting.pool_field = 'team'
        and waiting.pool_value = feeding.consumer_team
        and (feeding.stage is null or feeding.stage = 3)
where waiting.stage is null
group by waiting.pool, feeding.pool, feeding.rule_id
