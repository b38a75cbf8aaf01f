-- What the bill says of each commitment in each billing month: what was bought, used and left unused. AI capacity
-- that no commitment id names is found by its meter; the bill does not say how much of it was used.
with charges as (
    select
        *,
        {{ month_text('billing_period_start') }} as month,
        coalesce(
            commitment_discount_id, resource_id, concat_ws(':', billing_account_id, coalesce(sku_id, service_name))
        ) as commitment_id,
        case
            when commitment_discount_id is null then 'capacity'
            when charge_category = 'Purchase' then 'purchase'
            when charge_category = 'Usage' and commitment_discount_status = 'Used' then 'used'
            when charge_category = 'Usage' and commitment_discount_status = 'Unused' then 'unused'
            else 'other'
        end as charge_role,
        {{ is_ai_capacity() }} as is_ai_capacity
    from {{ ref('int_charges_by_day') }}
    where commitment_discount_id is not null or ({{ is_ai_capacity() }})
)

select
    commitment_id,
    month,
    billing_currency,
    max(service_provider_name) as service_provider_name,
    coalesce(
        max(case when charge_role = 'purchase' then billing_account_id end), max(billing_account_id)
    ) as billing_account_id,
    max(commitment_discount_name) as commitment_name,
    max(commitment_discount_type) as commitment_type,
    max(commitment_discount_category) as commitment_category,
    max(case when is_ai_capacity then 1 else 0 end) = 1 as is_ai_capacity,
    max(case when charge_role <> 'capacity' then 1 else 0 end) = 1 as has_id,

    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    sum(case when charge_role in ('purchase', 'capacity') then billed_cost else 0 end) as purchased_cost,
    sum(case when charge_role <> 'other' then effective_cost else 0 end) as amortized_cost,
    sum(case when charge_role = 'used' then effective_cost else 0 end) as used_cost,
    sum(case when charge_role = 'unused' then effective_cost else 0 end) as unused_cost,
    sum(case when charge_role = 'used' then list_cost else 0 end) as covered_list_cost,
    sum(case when charge_role = 'used' then contracted_cost else 0 end) as covered_contracted_cost,
    sum(
        case
            when charge_role in ('used', 'unused') then effective_cost
            when charge_role = 'purchase' then -billed_cost
            else 0
        end
    ) as spread_difference,

    sum(case when charge_role in ('used', 'unused') then charge_count else 0 end) as usage_charges,
    sum(
        case when charge_role = 'used' and effective_cost > 0 and list_cost <= 0 then charge_count else 0 end
    ) as unlisted_charges,
    sum(case when charge_role = 'purchase' then charge_count else 0 end) as purchases,
    sum(case when charge_role = 'purchase' and effective_cost <> 0 then charge_count else 0 end) as unspread_purchases,
    sum(
        case
            when charge_role = 'purchase' and charge_frequency = 'One-Time' and billed_cost > 0 then charge_count
            else 0
        end
    ) as upfront_purchases,
    sum(
        case
            when charge_class = 'Correction' or (charge_role = 'purchase' and billed_cost < 0) then charge_count
            else 0
        end
    ) as corrections,

    min(billing_period_start) as billing_period_start,
    min(case when charge_role = 'purchase' then first_period_start end) as first_purchase,
    max(case when charge_role = 'purchase' then last_period_end end) as last_purchase,
    min(case when charge_role in ('used', 'unused') then first_period_start end) as first_use,
    max(case when charge_role in ('used', 'unused') then last_period_end end) as last_use
from charges
group by commitment_id, month, billing_currency
