-- How well tokens are used: how much input came from the cache and what that saved, how much output was reasoning, how
-- many requests failed. The bill's side and the counters' side are rows of their own, so that no token adds up twice;
-- what a side does not tell is null, beside the share of it that is told.
select
    mix.month,
    mix.service_provider_name,
    mix.model,
    mix.team,
    mix.use_case,
    mix.token_basis,
    mix.billing_currency,
    cast(mix.uncached_tokens as decimal(38, 6)) as uncached_tokens,
    cast(mix.cache_read_tokens as decimal(38, 6)) as cache_read_tokens,
    cast(mix.cache_write_tokens as decimal(38, 6)) as cache_write_tokens,
    cast(mix.output_tokens as decimal(38, 6)) as output_tokens,
    {{ ratio(
        'coalesce(mix.cache_read_tokens, 0)',
        'coalesce(mix.uncached_tokens, 0) + coalesce(mix.cache_read_tokens, 0) + coalesce(mix.cache_write_tokens, 0)'
    ) }} as cache_hit_rate,
    mix.effective_cost,
    {{ ratio('coalesce(mix.counted_cost, 0)', 'mix.effective_cost') }} as token_coverage,
    savings.cache_read_saving,
    savings.cache_write_premium,
    savings.cache_saving,
    savings.cache_cost_without_price,
    mix.requests,
    mix.failed_requests,
    {{ ratio('mix.failed_requests', 'mix.requests_that_tell') }} as failed_request_share,
    {{ ratio('coalesce(mix.requests_that_tell, 0)', 'mix.requests') }} as failure_coverage,
    mix.reasoning_tokens,
    {{ ratio('mix.reasoning_tokens', 'mix.output_that_tells') }} as reasoning_share,
    {{ ratio('coalesce(mix.output_that_tells, 0)', 'mix.output_tokens') }} as reasoning_coverage
from {{ ref('int_token_mix_summed') }} as mix
left join {{ ref('int_cache_savings_summed') }} as savings
    on
        mix.month = savings.month
        and mix.service_provider_name = savings.service_provider_name
        and mix.model = savings.model
        and mix.team = savings.team
        and mix.use_case = savings.use_case
        and mix.billing_currency = savings.billing_currency
