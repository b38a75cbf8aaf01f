-- Tokens of each month by kind, once as billed (or as counted for the bill) and once as counted by whoever counts the
-- requests. The two are never added: they are the same tokens seen from both sides. Reasoning and failures stand only
-- in counts, each beside the output and the requests of the counts that tell of it.
select
    {{ month_text('charge_date') }} as month,
    service_provider_name,
    model,
    team,
    use_case,
    'billed' as token_basis,
    billing_currency,
    sum(case when x_token_kind = 'input_uncached' then tokens end) as uncached_tokens,
    sum(case when x_token_kind = 'cache_read' then tokens end) as cache_read_tokens,
    sum(case when x_token_kind in ('cache_write_5m', 'cache_write_1h') then tokens end) as cache_write_tokens,
    sum(case when x_token_kind = 'output' then tokens end) as output_tokens,
    sum(effective_cost) as effective_cost,
    sum(case when tokens is not null then effective_cost end) as counted_cost,
    cast(null as bigint) as requests,
    cast(null as bigint) as requests_that_tell,
    cast(null as bigint) as failed_requests,
    cast(null as bigint) as output_that_tells,
    cast(null as bigint) as reasoning_tokens
from {{ ref('int_token_charges_counted') }}
group by {{ month_text('charge_date') }}, service_provider_name, model, team, use_case, billing_currency

union all

select
    {{ month_text('charge_date') }} as month,
    service_provider_name,
    model,
    team,
    use_case,
    'counted' as token_basis,
    cast(null as string) as billing_currency,
    cast(sum(input_uncached_tokens) as decimal(38, 18)) as uncached_tokens,
    cast(sum(cache_read_tokens) as decimal(38, 18)) as cache_read_tokens,
    cast(sum(coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)) as decimal(38, 18))
        as cache_write_tokens,
    cast(sum(output_tokens) as decimal(38, 18)) as output_tokens,
    cast(null as decimal(38, 18)) as effective_cost,
    cast(null as decimal(38, 18)) as counted_cost,
    cast(sum(requests) as bigint) as requests,
    cast(sum(case when failed_requests is not null then requests end) as bigint) as requests_that_tell,
    cast(sum(case when requests is not null then failed_requests end) as bigint) as failed_requests,
    cast(sum(case when reasoning_tokens is not null then output_tokens end) as bigint) as output_that_tells,
    cast(sum(reasoning_tokens) as bigint) as reasoning_tokens
from {{ ref('int_usage_attributed') }}
group by {{ month_text('charge_date') }}, service_provider_name, model, team, use_case
