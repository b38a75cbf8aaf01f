-- What each commitment cost in each billing month, how much of it was used, and what it saved against list and
-- contracted prices. Grain: commitment × billing month × currency. AI capacity bought ahead is here too, by its
-- id or its meter. What a commitment can cover is the usage of the SKUs that it covered in this billing month or an
-- earlier one, in its account and currency, at list prices; spot usage is left out.
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
),

coverage as (
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
),

told as (
    select
        commitments.*,
        judged.term_start,
        judged.term_end,
        judged.is_spread,
        judged.rule_scope,
        judged.rule_difference,
        judged.rule_status,
        judged.rule_reason,
        coverage.eligible_list_cost,
        coverage.covered_list_cost as covered_sku_list_cost,
        case
            when not commitments.has_id then 'known by its meter alone'
            when not judged.is_spread then 'the bill spreads nothing'
            when commitments.usage_charges = 0 then 'no usage in the month'
        end as usage_reason,
        case
            when not commitments.has_id then 'known by its meter alone'
            when commitments.covered_list_cost <= 0 then 'nothing covered in the month has a list price'
            when commitments.unlisted_charges > 0 then 'part of what it covered has no list price'
        end as savings_reason
    from {{ ref('int_commitments_summed') }} as commitments
    inner join {{ ref('int_commitments_judged') }} as judged
        on
            commitments.commitment_id = judged.commitment_id
            and commitments.month = judged.month
            and commitments.billing_currency = judged.billing_currency
    left join coverage
        on
            commitments.commitment_id = coverage.commitment_id
            and commitments.month = coverage.month
            and commitments.billing_currency = coverage.billing_currency
)

select
    commitment_id,
    month,
    billing_currency,
    service_provider_name,
    billing_account_id,
    commitment_name,
    commitment_type,
    commitment_category,
    case
        when is_ai_capacity then 'provisioned throughput'
        when commitment_category = 'Spend' then 'spend'
        when commitment_category = 'Usage' then 'usage'
        else 'unknown'
    end as kind,
    case when has_id then 'commitment id' else 'meter' end as identified_by,
    cast(term_start as date) as term_start,
    cast(term_end as date) as term_end,

    billed_cost,
    effective_cost,
    purchased_cost,
    amortized_cost,
    case when usage_reason is null then used_cost end as used_cost,
    case when usage_reason is null then unused_cost end as unused_cost,
    case when usage_reason is null then {{ ratio('used_cost', 'used_cost + unused_cost') }} end as utilization,
    usage_reason,

    covered_list_cost,
    covered_contracted_cost,
    eligible_list_cost,
    {{ ratio('covered_sku_list_cost', 'eligible_list_cost') }} as coverage,
    case
        when savings_reason is null then 1 - {{ ratio('amortized_cost', 'covered_list_cost') }}
    end as effective_savings_rate,
    case
        when savings_reason is null then 1 - {{ ratio('amortized_cost', 'covered_contracted_cost') }}
    end as effective_savings_rate_contracted,
    case
        when savings_reason is null and usage_reason is null then {{ ratio('used_cost', 'covered_list_cost') }}
    end as break_even_utilization,
    savings_reason,

    rule_scope,
    rule_status,
    rule_difference,
    rule_reason
from told
