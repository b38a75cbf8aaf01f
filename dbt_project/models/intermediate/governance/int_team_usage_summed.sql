-- What AI vendors counted in each month, by team. Sums leave out what the source does not count, and each stands beside
-- the part of its counterpart that has it, so that a ratio of two of them is one of like rows.
select
    {{ month_text('charge_date') }} as month,
    service_provider_name,
    team,
    cast(sum(requests) as bigint) as requests,
    cast(sum(case when failed_requests is not null then requests end) as bigint) as requests_with_outcome,
    cast(sum(case when requests is not null then failed_requests end) as bigint) as failed_requests,
    cast(
        sum(input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens) as bigint
    ) as input_tokens,
    cast(
        sum(
            case
                when input_uncached_tokens + cache_write_5m_tokens + cache_write_1h_tokens is not null
                    then cache_read_tokens
            end
        ) as bigint
    ) as cache_read_tokens,
    cast(sum(case when reasoning_tokens is not null then output_tokens end) as bigint) as output_tokens_with_reasoning,
    cast(sum(case when output_tokens is not null then reasoning_tokens end) as bigint) as reasoning_tokens
from {{ ref('int_usage_attributed') }}
group by {{ month_text('charge_date') }}, service_provider_name, team
