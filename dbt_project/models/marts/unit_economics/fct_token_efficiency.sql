-- How well tokens are used: how much input came from the cache and what that saved, how much output was reasoning, how
-- many requests failed. The bill's side and the counters' side are rows of their own and are never added: they are the
-- same tokens seen from both sides. What a side does not tell is null, beside the share of it that is told.
with mix as (
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
),

-- The price that the same bill has for uncached input of a day, account, model and tier.
uncached as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        coalesce(x_model, '') as x_model,
        coalesce(x_service_tier, '') as x_service_tier,
        billing_currency,
        {{ ratio('sum(effective_cost)', 'sum(tokens)') }} as uncached_price
    from {{ ref('int_token_charges_counted') }}
    where x_token_kind = 'input_uncached' and tokens > 0
    group by
        charge_date, service_provider_name, billing_account_id, coalesce(x_model, ''), coalesce(x_service_tier, ''),
        billing_currency
),

cached as (
    select
        {{ month_text('cached.charge_date') }} as month,
        cached.service_provider_name,
        cached.model,
        cached.team,
        cached.use_case,
        cached.billing_currency,
        cached.x_token_kind,
        cached.effective_cost,
        {{ as_amount('cast(cached.tokens as double) * uncached.uncached_price') }} as uncached_cost
    from {{ ref('int_token_charges_counted') }} as cached
    left join uncached
        on
            cached.charge_date = uncached.charge_date
            and cached.service_provider_name = uncached.service_provider_name
            and cached.billing_account_id = uncached.billing_account_id
            and coalesce(cached.x_model, '') = uncached.x_model
            and coalesce(cached.x_service_tier, '') = uncached.x_service_tier
            and cached.billing_currency = uncached.billing_currency
    where cached.x_token_kind in ('cache_read', 'cache_write_5m', 'cache_write_1h')
),

saved as (
    select
        *,
        {{ exact_difference('uncached_cost', 'effective_cost') }} as saving
    from cached
),

savings as (
    select
        month,
        service_provider_name,
        model,
        team,
        use_case,
        billing_currency,
        sum(case when x_token_kind = 'cache_read' then saving end) as cache_read_saving,
        sum(case when x_token_kind <> 'cache_read' then -saving end) as cache_write_premium,
        sum(saving) as cache_saving,
        sum(case when saving is null then effective_cost end) as cache_cost_without_price
    from saved
    group by month, service_provider_name, model, team, use_case, billing_currency
)

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
from mix
left join savings
    on
        mix.month = savings.month
        and mix.service_provider_name = savings.service_provider_name
        and mix.model = savings.model
        and mix.team = savings.team
        and mix.use_case = savings.use_case
        and mix.billing_currency = savings.billing_currency
