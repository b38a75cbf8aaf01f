-- Every charge of a network service that is measured in bytes is in fct_data_transfer, whatever its direction.
with delivered as (
    select
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_transfers_classified') }}
    group by billing_currency
),

shown as (
    select
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_data_transfer') }}
    group by billing_currency
),

network as (
    select count(*) as charges
    from {{ ref('stg_cost_and_usage') }}
    where
        charge_category = 'Usage'
        and service_subcategory in ('Network Connectivity', 'Content Delivery')
        and lower(consumed_unit) in ('bytes', 'kb', 'mb', 'gb', 'tb', 'kib', 'mib', 'gib', 'tib')
),

classified as (
    select sum(charge_count) as charges
    from {{ ref('int_transfers_classified') }}
)

select
    'cost' as broken,
    delivered.billing_currency
from delivered
left join shown on delivered.billing_currency = shown.billing_currency
where delivered.effective_cost <> coalesce(shown.effective_cost, 0)
union all
select
    'charges' as broken,
    cast(null as string) as billing_currency
from network
cross join classified
where coalesce(classified.charges, 0) < network.charges
