-- The share of each consumer in each pool on each day, of each billing month and in each currency: its part of what all
-- consumers used in that month. Consumers that used nothing have no row; a pool that nobody used has none at all. What
-- fixed shares leave of 1 is nobody's; where they are more than 1, each is that much less.
-- depends_on: {{ ref('fct_plan_finding') }}: no pool is split over a name that nobody has.
with costs as (
    select distinct
        charge_date,
        billing_month,
        billing_currency
    from {{ ref('int_charges_pooled') }}
),

consumers as (
    select
        pools.*,
        costs.billing_month,
        costs.billing_currency
    from {{ ref('int_pools_by_day') }} as pools
    inner join costs on pools.charge_date = costs.charge_date
    where pools.stage is not null
),

quantities as (
    select
        consumers.charge_date,
        consumers.billing_month,
        consumers.billing_currency,
        consumers.pool,
        consumers.rule_id,
        consumers.driver,
        consumers.consumer_team,
        case consumers.driver
            when 'even' then cast(1 as decimal(38, 18))
            when 'fixed' then cast(consumers.share as decimal(38, 18))
            else drivers.quantity
        end as quantity
    from consumers
    left join {{ ref('int_drivers_summed') }} as drivers
        on
            consumers.driver = drivers.driver
            and consumers.billing_month = drivers.month
            and consumers.consumer_team = drivers.team
            and (drivers.billing_currency is null or consumers.billing_currency = drivers.billing_currency)

    union all

    select
        charge_date,
        billing_month,
        billing_currency,
        pool,
        rule_id,
        driver,
        'unallocated' as consumer_team,
        {{ exact_difference('1', 'sum(share)') }} as quantity
    from consumers
    where driver = 'fixed'
    group by charge_date, billing_month, billing_currency, pool, rule_id, driver
),

totals as (
    select
        *,
        sum(quantity) over (partition by charge_date, billing_month, pool, billing_currency) as total_quantity,
        row_number() over (
            partition by charge_date, billing_month, pool, billing_currency
            order by case when consumer_team = 'unallocated' then 2 else 1 end, consumer_team desc
        ) = 1 as is_last
    from quantities
    where quantity > 0
)

select
    charge_date,
    billing_month,
    pool,
    rule_id,
    driver,
    consumer_team,
    billing_currency,
    quantity,
    {{ ratio('quantity', 'total_quantity') }} as ratio,
    is_last
from totals
