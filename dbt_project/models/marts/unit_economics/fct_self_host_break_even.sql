-- How many tokens an hour of a GPU has to serve before it is as cheap as the model's own vendor, in each month, from
-- what both really cost. How many it does serve, and how busy it must be, is there only where it was measured.
with apis as (
    select
        month,
        model,
        service_provider_name,
        billing_currency,
        sum(million_tokens) as million_tokens,
        sum(effective_cost) as effective_cost
    from {{ ref('int_token_offers_priced') }}
    group by month, model, service_provider_name, billing_currency
),

priced as (
    select
        apis.month,
        apis.model,
        apis.service_provider_name,
        apis.million_tokens,
        coalesce(rates.reporting_currency, apis.billing_currency) as currency,
        {{ ratio('apis.effective_cost', 'apis.million_tokens') }} * coalesce(cast(rates.rate as double), 1) as api_cost_per_1m_tokens
    from apis
    left join {{ ref('int_exchange_rates_chosen') }} as rates
        on apis.month = rates.month and apis.billing_currency = rates.billing_currency and rates.rate is not null
),

gpus as (
    select
        offers.month,
        offers.gpu_class,
        offers.service_provider_name,
        offers.region_id,
        offers.terms,
        coalesce(rates.reporting_currency, offers.billing_currency) as currency,
        {{ ratio('offers.effective_cost', 'offers.gpu_hours') }} * coalesce(cast(rates.rate as double), 1) as gpu_hour_cost
    from {{ ref('int_gpu_offers_priced') }} as offers
    left join {{ ref('int_exchange_rates_chosen') }} as rates
        on offers.month = rates.month and offers.billing_currency = rates.billing_currency and rates.rate is not null
),

compared as (
    select
        priced.month,
        priced.service_provider_name,
        priced.model,
        gpus.service_provider_name as gpu_provider_name,
        gpus.gpu_class,
        gpus.region_id,
        gpus.terms,
        priced.currency,
        priced.million_tokens,
        priced.api_cost_per_1m_tokens,
        gpus.gpu_hour_cost,
        {{ ratio('gpus.gpu_hour_cost', 'priced.api_cost_per_1m_tokens') }} * 1000000 as break_even_tokens_per_gpu_hour,
        measured.tokens_per_gpu_hour as measured_tokens_per_gpu_hour,
        measured.utilization as measured_utilization
    from priced
    inner join gpus on priced.month = gpus.month and priced.currency = gpus.currency
    left join {{ ref('int_self_hosted_measured') }} as measured
        on gpus.month = measured.month and gpus.gpu_class = measured.gpu_class
)

select
    month,
    service_provider_name,
    model,
    gpu_provider_name,
    gpu_class,
    region_id,
    terms,
    currency,
    million_tokens,
    api_cost_per_1m_tokens,
    gpu_hour_cost,
    break_even_tokens_per_gpu_hour,
    measured_tokens_per_gpu_hour,
    measured_utilization,
    {{ ratio('gpu_hour_cost', 'measured_tokens_per_gpu_hour') }} * 1000000 as self_hosted_cost_per_1m_tokens,
    {{ ratio(
        'break_even_tokens_per_gpu_hour * measured_utilization', 'measured_tokens_per_gpu_hour'
    ) }} as break_even_utilization,
    case
        when break_even_tokens_per_gpu_hour is null then 'the vendor charged nothing for its tokens'
        when measured_tokens_per_gpu_hour is null then 'no tokens of self-hosted models are counted beside these GPUs'
        when measured_utilization is null then 'how busy these GPUs are is not measured'
    end as reason
from compared
