-- What a million tokens of each model cost in each month, all kinds of token together, how that changed, and what a
-- thousand requests to it cost: as billed, and by the price book. Tokens nobody counted and requests nobody billed
-- raise or lower no other's cost. Requests without a bill stand in the currency of their estimate.
with token_costs as (
    select
        month,
        service_provider_name,
        model,
        billing_currency,
        sum(tokens) as tokens,
        sum(effective_cost) as token_cost
    from {{ ref('fct_token_unit_cost') }}
    where tokens > 0
    group by month, service_provider_name, model, billing_currency
),

token_prices as (
    select
        *,
        {{ ratio('token_cost', 'tokens') }} * 1000000 as cost_per_1m_tokens
    from token_costs
),

changes as (
    select
        prices.*,
        {{ ratio('prices.cost_per_1m_tokens', 'before.cost_per_1m_tokens') }} - 1 as token_price_change
    from token_prices as prices
    left join token_prices as before
        on
            prices.service_provider_name = before.service_provider_name
            and prices.model = before.model
            and prices.billing_currency = before.billing_currency
            and before.month = {{ month_before('prices.month') }}
),

days as (
    select
        *,
        coalesce(billing_currency, estimated_currency) as currency,
        billing_currency is null or billing_currency = estimated_currency as is_estimate_comparable
    from {{ ref('fct_inference_unit_cost') }}
    where requests is not null
),

request_costs as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        model,
        currency,
        sum(requests) as requests,
        sum(effective_cost) as request_cost,
        sum(case when is_estimate_comparable then estimated_cost end) as estimated_request_cost,
        sum(unpriced_requests) as unpriced_requests,
        sum(case when effective_cost is not null then requests end) as billed_requests,
        sum(
            case when is_estimate_comparable and estimated_cost is not null then requests - unpriced_requests end
        ) as priced_requests
    from days
    group by {{ month_text('charge_date') }}, service_provider_name, model, currency
),

-- Stacked and added up, never joined: what only one side knows keeps its row.
stacked as (
    select
        month,
        service_provider_name,
        model,
        billing_currency as currency,
        tokens,
        token_cost,
        cost_per_1m_tokens,
        token_price_change,
        cast(null as bigint) as requests,
        cast(null as decimal(38, 18)) as request_cost,
        cast(null as decimal(38, 18)) as estimated_request_cost,
        cast(null as bigint) as unpriced_requests,
        cast(null as double) as cost_per_1k_requests,
        cast(null as double) as estimated_cost_per_1k_requests
    from changes
    union all
    select
        month,
        service_provider_name,
        model,
        currency,
        cast(null as decimal(38, 6)) as tokens,
        cast(null as decimal(38, 18)) as token_cost,
        cast(null as double) as cost_per_1m_tokens,
        cast(null as double) as token_price_change,
        cast(requests as bigint) as requests,
        request_cost,
        estimated_request_cost,
        cast(unpriced_requests as bigint) as unpriced_requests,
        {{ ratio('request_cost', 'billed_requests') }} * 1000 as cost_per_1k_requests,
        {{ ratio('estimated_request_cost', 'priced_requests') }} * 1000 as estimated_cost_per_1k_requests
    from request_costs
)

select
    month,
    service_provider_name,
    model,
    currency,
    cast(sum(tokens) as decimal(38, 6)) as tokens,
    sum(token_cost) as token_cost,
    max(cost_per_1m_tokens) as cost_per_1m_tokens,
    max(token_price_change) as token_price_change,
    coalesce(max(token_price_change) <= -{{ limit_of('token_price_cut') }}, false) as is_token_price_cut,
    cast(sum(requests) as bigint) as requests,
    sum(request_cost) as request_cost,
    sum(estimated_request_cost) as estimated_request_cost,
    cast(sum(unpriced_requests) as bigint) as unpriced_requests,
    max(cost_per_1k_requests) as cost_per_1k_requests,
    max(estimated_cost_per_1k_requests) as estimated_cost_per_1k_requests
from stacked
group by month, service_provider_name, model, currency
