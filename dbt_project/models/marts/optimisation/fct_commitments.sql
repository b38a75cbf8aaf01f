-- What each commitment cost in each billing month, how much of it was used, and what it saved against list and
-- contracted prices. Grain: commitment × billing month × currency. AI capacity bought ahead is here too, by its
-- id or its meter.
with told as (
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
    left join {{ ref('int_commitment_coverage_derived') }} as coverage
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
