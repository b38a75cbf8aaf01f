-- The fixed shares of a pool are 1 or less. Where they are more, the pool is split in proportion, and this names it.
select
    pool,
    rule_id,
    sum(share) as shares,
    charge_date
from {{ ref('int_pools_by_day') }}
where driver = 'fixed'
group by pool, rule_id, charge_date
having sum(share) > 1
