-- What a request cost: the vendor's bill beside the vendor's count of requests and tokens.
-- Where requests are logged one by one, the median of their list price and what one in twenty exceeds stand beside.
-- Both sides are stacked and added up, never joined: what only one of them knows keeps its own row, and a bill in two
-- currencies cannot double the requests. `ordinal` pairs the first currency billed with the first estimated.
with billed as (
    select
        charge_date,
        service_provider_name,
        billing_account_id as account_id,
        sub_account_id as project_id,
        coalesce(x_model, 'unknown') as model,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(tokens) as billed_tokens
    from {{ ref('int_charges_summed') }}
    where x_model is not null or x_token_kind is not null
    group by
        charge_date, service_provider_name, billing_account_id, sub_account_id, coalesce(x_model, 'unknown'),
        billing_currency
),

buckets as (
    select
        *,
        cast(usage_start as date) as charge_date,
        coalesce(
            estimated_cost_currency,
            max(estimated_cost_currency) over (
                partition by cast(usage_start as date), vendor, account_id, project_id, model
            )
        ) as estimated_currency
    from {{ ref('int_ai_usage_counted') }}
),

used as (
    select
        charge_date,
        vendor as service_provider_name,
        account_id,
        project_id,
        coalesce(model, 'unknown') as model,
        estimated_currency,
        case when count(requests) = count(*) then sum(requests) end as requests,
        sum(total_tokens) as tokens,
        sum(estimated_cost) as estimated_cost,
        case
            when count(requests) = count(*) then sum(case when price_status = 'unpriced' then requests else 0 end)
        end as unpriced_requests,
        case when count(failed_requests) = count(*) then sum(failed_requests) end as failed_requests,
        case when count(session_id) = count(*) then count(distinct session_id) end as sessions,
        count(request_id) as logged_requests,
        percentile_cont(0.5) within group (
            order by case when request_id is not null then cast(estimated_cost as double) end
        ) as request_cost_p50,
        percentile_cont(0.95) within group (
            order by case when request_id is not null then cast(estimated_cost as double) end
        ) as request_cost_p95
    from buckets
    group by charge_date, vendor, account_id, project_id, coalesce(model, 'unknown'), estimated_currency
),

both_sides as (
    select
        charge_date,
        service_provider_name,
        account_id,
        project_id,
        model,
        row_number() over (
            partition by charge_date, service_provider_name, account_id, project_id, model
            order by billing_currency
        ) as ordinal,
        billing_currency,
        effective_cost,
        billed_tokens,
        cast(null as bigint) as requests,
        cast(null as bigint) as tokens,
        cast(null as decimal(38, 18)) as estimated_cost,
        cast(null as string) as estimated_currency,
        cast(null as bigint) as unpriced_requests,
        cast(null as bigint) as failed_requests,
        cast(null as bigint) as sessions,
        cast(null as bigint) as logged_requests,
        cast(null as double) as request_cost_p50,
        cast(null as double) as request_cost_p95
    from billed
    union all
    select
        charge_date,
        service_provider_name,
        account_id,
        project_id,
        model,
        row_number() over (
            partition by charge_date, service_provider_name, account_id, project_id, model
            order by estimated_currency
        ) as ordinal,
        cast(null as string) as billing_currency,
        cast(null as decimal(38, 18)) as effective_cost,
        cast(null as decimal(38, 18)) as billed_tokens,
        requests,
        tokens,
        estimated_cost,
        estimated_currency,
        unpriced_requests,
        failed_requests,
        sessions,
        logged_requests,
        request_cost_p50,
        request_cost_p95
    from used
),

paired as (
    select
        charge_date,
        service_provider_name,
        account_id,
        project_id,
        model,
        max(billing_currency) as billing_currency,
        cast(sum(requests) as bigint) as requests,
        cast(sum(tokens) as bigint) as tokens,
        cast(sum(billed_tokens) as decimal(38, 6)) as billed_tokens,
        sum(effective_cost) as effective_cost,
        sum(estimated_cost) as estimated_cost,
        max(estimated_currency) as estimated_currency,
        cast(sum(unpriced_requests) as bigint) as unpriced_requests,
        cast(sum(failed_requests) as bigint) as failed_requests,
        cast(sum(sessions) as bigint) as sessions,
        cast(sum(logged_requests) as bigint) as logged_requests,
        max(request_cost_p50) as request_cost_p50,
        max(request_cost_p95) as request_cost_p95
    from both_sides
    group by charge_date, service_provider_name, account_id, project_id, model, ordinal
)

select
    *,
    {{ ratio('effective_cost', 'requests') }} as cost_per_request_billed,
    {{ ratio('estimated_cost', 'requests - unpriced_requests') }} as cost_per_request_estimated,
    {{ ratio('requests - unpriced_requests', 'requests') }} as estimate_coverage,
    {{ ratio('effective_cost', 'sessions') }} as cost_per_session_billed
from paired
