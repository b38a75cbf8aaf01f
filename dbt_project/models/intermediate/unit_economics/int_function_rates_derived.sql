-- What a GB-second and a request of serverless functions really cost in each account and month, from the charges that
-- billed them. One row per account and month: in the currency that billed most GB-seconds.
with accounts as (
    select
        month,
        service_provider_name,
        billing_account_id,
        billing_currency,
        sum(gb_seconds) as gb_seconds,
        sum(requests) as requests,
        sum(gb_seconds_cost) as gb_seconds_cost,
        sum(requests_cost) as requests_cost
    from {{ ref('int_function_charges_summed') }}
    group by month, service_provider_name, billing_account_id, billing_currency
),

ranked as (
    select
        *,
        row_number() over (
            partition by month, service_provider_name, billing_account_id
            order by gb_seconds desc, billing_currency asc
        ) as currency_rank
    from accounts
    where gb_seconds > 0
)

select
    month,
    service_provider_name,
    billing_account_id,
    billing_currency,
    {{ ratio('gb_seconds_cost', 'gb_seconds') }} as effective_cost_per_gb_second,
    {{ ratio('requests_cost', 'requests') }} as effective_cost_per_request
from ranked
where currency_rank = 1
