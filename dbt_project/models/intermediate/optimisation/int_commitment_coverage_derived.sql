-- How much of what a commitment can cover it did cover, at list prices. What it can cover is the usage of the
-- SKUs that it covered in this billing month or an earlier one, in its account and currency; spot usage is left
-- out.
with usage_by_sku as (
    select
        billing_account_id,
        sku_id,
        billing_currency,
        {{ month_text('billing_period_start') }} as month,
        case when commitment_discount_status = 'Used' then commitment_discount_id end as commitment_id,
        sum(list_cost) as list_cost
    from {{ ref('int_charges_by_day') }}
    where
        charge_category = 'Usage'
        and sku_id is not null
        and coalesce(pricing_category, 'Standard') <> 'Dynamic'
        and coalesce(commitment_discount_status, 'Used') = 'Used'
    group by
        billing_account_id, sku_id, billing_currency, {{ month_text('billing_period_start') }},
        case when commitment_discount_status = 'Used' then commitment_discount_id end
),

covered_skus as (
    select
        commitment_id,
        billing_account_id,
        sku_id,
        billing_currency,
        min(month) as first_month
    from usage_by_sku
    where commitment_id is not null
    group by commitment_id, billing_account_id, sku_id, billing_currency
)

select
    skus.commitment_id,
    usage_by_sku.month,
    skus.billing_currency,
    sum(usage_by_sku.list_cost) as eligible_list_cost,
    sum(
        case when usage_by_sku.commitment_id = skus.commitment_id then usage_by_sku.list_cost else 0 end
    ) as covered_list_cost
from covered_skus as skus
inner join usage_by_sku
    on
        skus.billing_account_id = usage_by_sku.billing_account_id
        and skus.sku_id = usage_by_sku.sku_id
        and skus.billing_currency = usage_by_sku.billing_currency
        and skus.first_month <= usage_by_sku.month
group by skus.commitment_id, usage_by_sku.month, skus.billing_currency
