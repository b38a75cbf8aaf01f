-- What a request cost: the vendor's bill beside the vendor's count of requests and tokens.
-- Where requests are logged one by one, the median of their list price and what one in twenty exceeds stand beside.
-- What only one side knows keeps its own row. `ordinal` pairs the first currency billed with the first estimated, so
-- that a bill in two currencies cannot double the requests.
with billed as (
    select
        charge_date,
        service_provider_name,
        billing_account_id as account_id,
        sub_account_id as project_id,
        coalesce(x_model, 'unknown') as model,
        billing_currency,
        row_number() over (
            partition by
                charge_date, service_provider_name, billing_account_id, sub_account_id, coalesce(x_model, 'unknown')
            order by billing_currency
        ) as ordinal,
        sum(effective_cost) as effective_cost,
        cast(sum(tokens) as decimal(38, 6)) as billed_tokens
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
        row_number() over (
            partition by charge_date, vendor, account_id, project_id, coalesce(model, 'unknown')
            order by estimated_currency
        ) as ordinal,
        case when count(requests) = count(*) then cast(sum(requests) as bigint) end as requests,
        cast(sum(total_tokens) as bigint) as tokens,
        sum(estimated_cost) as estimated_cost,
        case
            when count(requests) = count(*)
                then cast(sum(case when price_status = 'unpriced' then requests else 0 end) as bigint)
        end as unpriced_requests,
        case when count(failed_requests) = count(*) then cast(sum(failed_requests) as bigint) end as failed_requests,
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

paired as (
    select
        coalesce(billed.charge_date, used.charge_date) as charge_date,
        coalesce(billed.service_provider_name, used.service_provider_name) as service_provider_name,
        coalesce(billed.account_id, used.account_id) as account_id,
        coalesce(billed.project_id, used.project_id) as project_id,
        coalesce(billed.model, used.model) as model,
        billed.billing_currency,
        used.requests,
        used.tokens,
        billed.billed_tokens,
        billed.effective_cost,
        used.estimated_cost,
        used.estimated_currency,
        used.unpriced_requests,
        used.failed_requests,
        used.sessions,
        used.logged_requests,
        used.request_cost_p50,
        used.request_cost_p95
    from billed
    full outer join used
        on
            billed.charge_date = used.charge_date
            and billed.service_provider_name = used.service_provider_name
            and billed.account_id = used.account_id
            and coalesce(billed.project_id, '') = coalesce(used.project_id, '')
            and billed.model = used.model
            and billed.ordinal = used.ordinal
)

select
    *,
    {{ ratio('effective_cost', 'requests') }} as cost_per_request_billed,
    {{ ratio('estimated_cost', 'requests - unpriced_requests') }} as cost_per_request_estimated,
    {{ ratio('requests - unpriced_requests', 'requests') }} as estimate_coverage,
    {{ ratio('effective_cost', 'sessions') }} as cost_per_session_billed
from paired
