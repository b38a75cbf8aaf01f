-- A vendor's bill beside the vendor's own count at list price, by day and model. Sides are stacked, never joined.
-- Of a vendor that delivers its counts all charges of generative AI are here, of others those of tokens.
-- Coding assistants are left out: what they count is in the vendor's count of requests, or in a subscription.
with counted as (
    select *
    from {{ ref('stg_ai_usage') }}
    where counted_by = 'vendor' and operation <> 'code_assistant' and total_tokens is not null
),

counting_vendors as (
    select distinct vendor
    from counted
),

charges as (
    select
        billed.*,
        case
            when billed.charge_category in ('Tax', 'Credit', 'Adjustment', 'Purchase')
                then lower(billed.charge_category)
            when billed.x_token_kind is not null then 'tokens'
            when billed.sku_meter is null and billed.x_model is null then 'not told'
            else 'other items'
        end as kind
    from {{ ref('int_charges_by_day') }} as billed
    left join counting_vendors on billed.service_provider_name = counting_vendors.vendor
    where
        billed.x_token_kind is not null
        or (counting_vendors.vendor is not null and billed.service_subcategory = 'Generative AI')
)

select
    'bill' as side,
    charge_date,
    service_provider_name,
    billing_account_id,
    x_model as model,
    coalesce(x_service_tier, 'standard') as service_tier,
    kind,
    billing_currency,
    sum(billed_cost) as amount,
    cast(
        sum(case when kind = 'tokens' and consumed_unit = 'Tokens' then consumed_quantity end) as decimal(38, 6)
    ) as tokens,
    cast(null as decimal(38, 6)) as unpriced_tokens,
    cast(sum(charge_count) as bigint) as row_count
from charges
group by
    charge_date, service_provider_name, billing_account_id, x_model,
    coalesce(x_service_tier, 'standard'), kind, billing_currency

union all

select
    'usage' as side,
    cast(usage_start as date) as charge_date,
    vendor as service_provider_name,
    account_id as billing_account_id,
    model,
    coalesce(service_tier, 'standard') as service_tier,
    'tokens' as kind,
    coalesce(estimated_cost_currency, 'USD') as billing_currency,
    sum(estimated_cost) as amount,
    cast(sum(total_tokens) as decimal(38, 6)) as tokens,
    cast(sum(case when price_status = 'unpriced' then total_tokens else 0 end) as decimal(38, 6)) as unpriced_tokens,
    count(*) as row_count
from counted
group by
    cast(usage_start as date), vendor, account_id, model, coalesce(service_tier, 'standard'),
    coalesce(estimated_cost_currency, 'USD')
