-- The share of each consumer in each pool on each day, of each billing month and in each currency: its part of what all
-- consumers used in that month. Consumers that used nothing have no row; a pool that nobody used has none at all. What
-- fixed shares leave of 1 is nobody's; where they are more than 1, each is that much less.
-- Drivers are counted in the billing month where the bill says them, in the month of use else. Only effective_cost
-- depends on a currency; it is a team's own cost, without what the pool of a service or of a kind of charge has.
-- depends_on: {{ ref('fct_plan_finding') }}: no pool is split over a name that nobody has.
with gpu_seconds as (
    select
        cast(usage_start as date) as charge_date,
        team,
        coalesce(device_fraction, 1) * {{ dbt.datediff('usage_start', 'usage_end', 'second') }} as seconds -- noqa: LT05
    from {{ ref('stg_gpu_utilization') }}
    where team is not null
),

drivers as (
    select
        'tokens' as driver,
        {{ month_text('charge_date') }} as month,
        team,
        cast(null as string) as billing_currency,
        sum(tokens) as quantity
    from {{ ref('int_token_charges_counted') }}
    group by {{ month_text('charge_date') }}, team

    union all

    select
        'requests' as driver,
        {{ month_text('charge_date') }} as month,
        team,
        cast(null as string) as billing_currency,
        cast(sum(requests) as decimal(38, 18)) as quantity
    from {{ ref('int_usage_attributed') }}
    group by {{ month_text('charge_date') }}, team

    union all

    select
        'gpu_hours' as driver,
        {{ month_text('charge_date') }} as month,
        team,
        cast(null as string) as billing_currency,
        {{ as_amount('cast(sum(seconds) as double) / 3600') }} as quantity
    from gpu_seconds
    group by {{ month_text('charge_date') }}, team

    {% for unit in ['seconds', 'bytes'] %}
    union all

    select
        '{{ unit }}' as driver,
        billing_month as month,
        team,
        cast(null as string) as billing_currency,
        sum({{ unit }}_used) as quantity
    from {{ ref('int_charges_attributed') }}
    where {{ unit }}_used is not null
    group by billing_month, team

    {% endfor %}
    union all

    select
        'effective_cost' as driver,
        billing_month as month,
        team,
        billing_currency,
        sum(effective_cost) as quantity
    from {{ ref('int_charges_pooled') }}
    where pool_field is null or pool_field = 'team'
    group by billing_month, team, billing_currency
),

costs as (
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
    left join drivers
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
