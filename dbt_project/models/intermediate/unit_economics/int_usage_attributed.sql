-- Usage, each request or bucket once, with the team and use case that the tag rules find for it: seen by the
-- rules as int_subject_fields_unpivoted shows it to them, so that usage and charges find the same owner.
with subjects as (
    select
        cast(counts.usage_start as date) as charge_date,
        counts.vendor as service_provider_name,
        counts.account_id as billing_account_id,
        counts.project_id as sub_account_id,
        cast(null as string) as service_name,
        cast(null as string) as resource_id,
        cast(null as string) as resource_name,
        counts.api_key_id as x_api_key_id,
        cast(null as string) as charge_description,
        cast(null as string) as tags,
        counts.model as x_model,
        counts.counted_by,
        counts.usage_start,
        counts.usage_end,
        counts.request_id,
        counts.session_id,
        counts.operation,
        coalesce(counts.service_tier, 'unknown') as service_tier,
        counts.requests,
        counts.failed_requests,
        counts.input_uncached_tokens,
        counts.cache_read_tokens,
        counts.cache_write_5m_tokens,
        counts.cache_write_1h_tokens,
        counts.output_tokens,
        counts.reasoning_tokens,
        counts.total_tokens,
        counts.price_status,
        counts.estimated_cost,
        counts.estimated_cost_currency
    from {{ ref('int_ai_usage_counted') }} as counts
),

keyed as (
    select
        subjects.*,
        periods.rules_as_of,
        {{ subject_key() }} as subject_key
    from subjects
    inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('subjects.charge_date', 'periods') }}
)

select
    keyed.subject_key,
    keyed.charge_date,
    keyed.service_provider_name,
    keyed.billing_account_id,
    keyed.sub_account_id,
    coalesce(keyed.x_model, 'unknown') as model,
    keyed.service_tier,
    coalesce(attributed.team, 'unallocated') as team,
    coalesce(attributed.use_case, 'unallocated') as use_case,
    keyed.counted_by,
    keyed.usage_start,
    keyed.usage_end,
    keyed.request_id,
    keyed.session_id,
    keyed.operation,
    keyed.requests,
    keyed.failed_requests,
    keyed.input_uncached_tokens,
    keyed.cache_read_tokens,
    keyed.cache_write_5m_tokens,
    keyed.cache_write_1h_tokens,
    keyed.output_tokens,
    keyed.reasoning_tokens,
    keyed.total_tokens,
    keyed.price_status,
    keyed.estimated_cost,
    keyed.estimated_cost_currency
from keyed
left join {{ ref('int_subjects_attributed') }} as attributed
    on keyed.subject_key = attributed.subject_key and keyed.rules_as_of = attributed.rules_as_of
