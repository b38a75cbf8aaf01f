-- The share of each consumer in each pool on each day and in each currency: its part of what all consumers used in the
-- calendar month. Consumers that used nothing have no row; a pool that nobody used has none at all.
with currencies as (
    select distinct
        charge_date,
        team,
        billing_currency
    from {{ ref('int_charges_attributed') }}
),

quantities as (
    select
        pools.charge_date,
        pools.pool_team,
        pools.rule_id,
        pools.driver,
        pools.consumer_team,
        currencies.billing_currency,
        case
            when pools.driver = 'even' then cast(1 as decimal(38, 18))
            else drivers.quantity
        end as quantity
    from {{ ref('int_pools_by_day') }} as pools
    inner join currencies
        on pools.charge_date = currencies.charge_date and pools.pool_team = currencies.team
    left join {{ ref('int_drivers_summed') }} as drivers
        on
            pools.driver = drivers.driver
            and {{ month_text('pools.charge_date') }} = drivers.month
            and pools.consumer_team = drivers.team
            and (drivers.billing_currency is null or currencies.billing_currency = drivers.billing_currency)
),

totals as (
    select
        *,
        sum(quantity) over (partition by charge_date, pool_team, billing_currency) as total_quantity,
        row_number() over (
            partition by charge_date, pool_team, billing_currency
            order by consumer_team desc
        ) = 1 as is_last
    from quantities
    where quantity > 0
)

select
    charge_date,
    pool_team,
    rule_id,
    driver,
    consumer_team,
    billing_currency,
    quantity,
    {{ ratio('quantity', 'total_quantity') }} as ratio,
    is_last
from totals
