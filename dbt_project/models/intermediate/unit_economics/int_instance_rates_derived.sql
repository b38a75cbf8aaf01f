-- What an hour of each instance type really cost in each account and month, from the charges that billed it by the
-- hour. One row per account, month and type: in the currency that billed most of its hours.
with hours as (
    select
        billing_account_id,
        {{ month_text('charge_date') }} as month,
        {{ json_text('sku_price_details', 'InstanceType') }} as instance_type,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(consumed_quantity) as consumed_hours
    from {{ ref('int_charges_by_day') }}
    where consumed_unit = 'Hours' and charge_category = 'Usage' and sku_price_details is not null
    group by
        billing_account_id, {{ month_text('charge_date') }},
        {{ json_text('sku_price_details', 'InstanceType') }}, billing_currency
),

ranked as (
    select
        *,
        row_number() over (
            partition by billing_account_id, month, instance_type
            order by consumed_hours desc, billing_currency asc
        ) as currency_rank
    from hours
    where instance_type is not null and consumed_hours > 0
)

select
    billing_account_id,
    month,
    instance_type,
    billing_currency,
    {{ ratio('effective_cost', 'consumed_hours') }} as effective_cost_per_hour
from ranked
where currency_rank = 1
