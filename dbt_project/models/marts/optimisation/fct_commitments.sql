-- What each commitment cost in each billing month, how much of it was used, and what it saved against list and
-- contracted prices. Grain: commitment × billing month × currency. AI capacity bought ahead is here too, by its id or,
-- where none names it, by its meter: then the bill does not say how much of it was used. What a commitment can cover is
-- the usage of the SKUs that it covered in this billing month or an earlier one, in its account and currency, at list
-- prices; spot usage is left out.
-- The rule is FOCUS's: what was bought (BilledCost of Purchase) is what its use carries (EffectiveCost of Used and
-- Unused). It can be told
--   over the term, where a contract commitment states it and the lake holds all its billing months;
--   else over a billing month that is over and holds no correction, where payments are for that month: recurring, begun
--     no later than the use, and reaching to its end or made on the first day.
-- More use than payment proves nothing unless the term is known to be without an upfront payment.
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
),

commitments as (
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
        sum(
            case when charge_role = 'purchase' and effective_cost <> 0 then charge_count else 0 end
        ) as unspread_purchases,
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
),

held as (
    select
        billing_account_id,
        {{ month_text('billing_period_start') }} as month,
        max(case when charge_category = 'Usage' and is_spread is not true then charge_date end) as last_day_used
    from {{ ref('int_charges_by_day') }}
    group by billing_account_id, {{ month_text('billing_period_start') }}
),

accounts as (
    select
        billing_account_id,
        max(last_day_used) as data_through
    from held
    group by billing_account_id
),

-- The term is what the provider's latest list of commitments says.
terms_ranked as (
    select
        {{ last_part('contract_commitment_id') }} as commitment_key,
        contract_commitment_period_start as term_start,
        contract_commitment_period_end as term_end,
        contract_commitment_payment_model as payment_model,
        row_number() over (
            partition by {{ last_part('contract_commitment_id') }}
            order by
                coalesce(contract_commitment_last_updated, contract_commitment_period_start) desc,
                contract_commitment_period_end desc, contract_id asc, x_source_file asc, x_source_row asc
        ) as term_rank
    from {{ ref('stg_contract_commitment') }}
),

terms as (
    select
        commitments.*,
        terms.term_start,
        terms.term_end,
        terms.payment_model,
        accounts.data_through,
        {{ month_text('terms.term_start') }} as first_term_month,
        {{ month_text(dbt.dateadd('second', -1, 'terms.term_end')) }} as last_term_month,
        {{ month_number(dbt.dateadd('second', -1, 'terms.term_end')) }}
        - {{ month_number('terms.term_start') }} + 1 as term_months,
        sum(commitments.spread_difference) over (
            partition by commitments.commitment_id, commitments.billing_currency
        ) as term_difference,
        sum(commitments.unspread_purchases) over (
            partition by commitments.commitment_id, commitments.billing_currency
        ) as all_unspread_purchases,
        sum(commitments.upfront_purchases) over (
            partition by commitments.commitment_id, commitments.billing_currency
        ) as all_upfront_purchases
    from commitments
    left join terms_ranked as terms
        on {{ last_part('commitments.commitment_id') }} = terms.commitment_key and terms.term_rank = 1
    left join accounts on commitments.billing_account_id = accounts.billing_account_id
),

months_held as (
    select
        terms.commitment_id,
        terms.billing_currency,
        count(distinct held.month) as held_months
    from terms
    inner join held
        on
            terms.billing_account_id = held.billing_account_id
            and terms.first_term_month <= held.month
            and terms.last_term_month >= held.month
    group by terms.commitment_id, terms.billing_currency
),

described as (
    select
        terms.*,
        coalesce(
            months_held.held_months = terms.term_months
            and cast({{ dbt.dateadd('second', -1, 'terms.term_end') }} as date) <= terms.data_through,
            false
        ) as term_is_whole,
        {{ dbt.last_day("cast(terms.billing_period_start as date)", 'month') }} <= terms.data_through as month_is_over,
        coalesce(
            terms.first_purchase <= terms.first_use
            and (terms.last_purchase >= terms.last_use or terms.first_purchase = terms.billing_period_start),
            terms.usage_charges = 0
        ) as payments_follow_months
    from terms
    left join months_held
        on
            terms.commitment_id = months_held.commitment_id
            and terms.billing_currency = months_held.billing_currency
),

judged as (
    select
        *,
        all_unspread_purchases = 0 and has_id as is_spread,
        case when term_is_whole then 'term' else 'month' end as rule_scope,
        case when term_is_whole then term_difference else spread_difference end as difference,
        case
            when not has_id then 'known by its meter alone'
            when all_unspread_purchases > 0 then 'the bill spreads nothing'
            when term_is_whole then null
            when all_upfront_purchases > 0 then 'paid upfront, and the lake does not hold its whole term'
            when purchases = 0 then 'no purchase in the month'
            when not coalesce(month_is_over, false) then 'the month is not over'
            when corrections > 0 then 'the month holds a correction or refund'
            when not payments_follow_months then 'its payments are not for single months'
            when
                spread_difference > {{ limit_of('commitment_difference') }}
                and coalesce(payment_model, '') <> 'No Upfront'
                then 'part of it may have been paid before the lake begins'
        end as rule_reason
    from described
),

usage_by_sku as (
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
        ) as covered_sku_list_cost
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
        judged.*,
        coverage.eligible_list_cost,
        coverage.covered_sku_list_cost,
        case
            when not judged.has_id then 'known by its meter alone'
            when not judged.is_spread then 'the bill spreads nothing'
            when judged.usage_charges = 0 then 'no usage in the month'
        end as usage_reason,
        case
            when not judged.has_id then 'known by its meter alone'
            when judged.covered_list_cost <= 0 then 'nothing covered in the month has a list price'
            when judged.unlisted_charges > 0 then 'part of what it covered has no list price'
        end as savings_reason
    from judged
    left join coverage
        on
            judged.commitment_id = coverage.commitment_id
            and judged.month = coverage.month
            and judged.billing_currency = coverage.billing_currency
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
    case
        when rule_reason is not null then 'not judged'
        when abs(difference) <= {{ limit_of('commitment_difference') }} then 'holds'
        else 'broken'
    end as rule_status,
    case when rule_reason is null then difference end as rule_difference,
    rule_reason
from told
