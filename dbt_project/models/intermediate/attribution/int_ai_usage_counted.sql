-- Usage with every request counted once: by the vendor where its report is here, else by the gateway, else by the
-- application. Counters are compared per vendor, UTC day and operation, not per model, since a gateway's alias may hide
-- the model's name; and per account only where the vendor knows it: a gateway's or application's account may be a name
-- of its own. What another has counted before is left out, never added.
with known_accounts as (
    select
        vendor,
        account_id
    from {{ ref('stg_ai_usage') }}
    where counted_by = 'vendor'
    union distinct
    select
        service_provider_name as vendor,
        billing_account_id as account_id
    from {{ ref('int_charges_by_day') }}
),

counts as (
    select distinct
        vendor,
        account_id,
        cast(usage_start as date) as usage_date,
        operation,
        counted_by
    from {{ ref('stg_ai_usage') }}
),

ranked as (
    select
        counts.*,
        known_accounts.account_id is not null as account_is_known,
        case counts.counted_by when 'vendor' then 1 when 'gateway' then 2 else 3 end as counter_rank
    from counts
    left join known_accounts on counts.vendor = known_accounts.vendor and counts.account_id = known_accounts.account_id
),

compared as (
    select
        *,
        min(counter_rank) over (partition by vendor, usage_date, operation) as first_anywhere,
        min(counter_rank) over (partition by vendor, usage_date, operation, account_id) as first_of_account,
        min(case when not account_is_known then counter_rank end) over (
            partition by vendor, usage_date, operation
        ) as first_of_unknown_accounts
    from ranked
),

chosen as (
    select
        vendor,
        account_id,
        usage_date,
        operation,
        counted_by
    from compared
    where
        counter_rank = case
            when account_is_known then least(first_of_account, coalesce(first_of_unknown_accounts, first_of_account))
            else first_anywhere
        end
)

select
    ai_usage.usage_start,
    ai_usage.usage_end,
    ai_usage.vendor,
    ai_usage.counted_by,
    ai_usage.request_id,
    ai_usage.session_id,
    ai_usage.account_id,
    ai_usage.project_id,
    ai_usage.api_key_id,
    ai_usage.user_id,
    ai_usage.model,
    ai_usage.operation,
    ai_usage.service_tier,
    ai_usage.tags,
    ai_usage.requests,
    ai_usage.failed_requests,
    ai_usage.duration_ms,
    ai_usage.input_uncached_tokens,
    ai_usage.cache_read_tokens,
    ai_usage.cache_write_5m_tokens,
    ai_usage.cache_write_1h_tokens,
    ai_usage.output_tokens,
    ai_usage.reasoning_tokens,
    ai_usage.total_tokens,
    ai_usage.price_status,
    ai_usage.estimated_cost,
    ai_usage.estimated_cost_currency
from {{ ref('stg_ai_usage') }} as ai_usage
inner join chosen
    on
        ai_usage.vendor = chosen.vendor
        and ai_usage.account_id = chosen.account_id
        and cast(ai_usage.usage_start as date) = chosen.usage_date
        and ai_usage.operation = chosen.operation
        and ai_usage.counted_by = chosen.counted_by
