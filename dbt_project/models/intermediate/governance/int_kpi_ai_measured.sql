-- The KPIs of AI use: tokens, requests, cache, reasoning, errors and training. A row without a team is the
-- company's. Costs stand beside the tokens and requests of the same vendor, and only where both are known.
with token_costs as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(tokens) as tokens
    from {{ ref('int_token_charges_counted') }}
    where tokens is not null
    group by {{ month_text('charge_date') }}, team, billing_currency
),

model_costs as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        team,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_charges_attributed') }}
    where x_model is not null and charge_category = 'Usage'
    group by {{ month_text('charge_date') }}, service_provider_name, team, billing_currency
),

-- Sums leave out what the source does not count, and each stands beside the part of its counterpart that has it, so
-- that a ratio of two of them is one of like rows.
team_usage as (
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
        cast(
            sum(case when reasoning_tokens is not null then output_tokens end) as bigint
        ) as output_tokens_with_reasoning,
        cast(sum(case when output_tokens is not null then reasoning_tokens end) as bigint) as reasoning_tokens
    from {{ ref('int_usage_attributed') }}
    group by {{ month_text('charge_date') }}, service_provider_name, team
),

request_costs as (
    select
        model_costs.month,
        model_costs.team,
        model_costs.billing_currency,
        sum(model_costs.effective_cost) as effective_cost,
        sum(used.requests) as requests
    from model_costs
    inner join team_usage as used
        on
            model_costs.month = used.month
            and model_costs.service_provider_name = used.service_provider_name
            and model_costs.team = used.team
            and used.requests is not null
    group by model_costs.month, model_costs.team, model_costs.billing_currency
),

runs as (
    select
        {{ month_text('cast(started_at as date)') }} as month,
        team,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum({{ as_amount('metric_value') }}) * 100 as points
    from {{ ref('fct_training_run_cost') }}
    where status = 'finished' and effective_cost is not null and metric_value > 0 and metric_value <= 1
    group by {{ month_text('cast(started_at as date)') }}, team, billing_currency
),

of_teams as (
    select
        'cost_per_1m_tokens' as kpi,
        month,
        team,
        billing_currency,
        effective_cost as numerator,
        cast(tokens as double) / 1000000 as denominator
    from token_costs
    union all
    select
        'cost_per_request' as kpi,
        month,
        team,
        billing_currency,
        effective_cost as numerator,
        cast(requests as double) as denominator
    from request_costs
    union all
    select
        'training_cost_efficiency' as kpi,
        month,
        team,
        billing_currency,
        effective_cost as numerator,
        cast(points as double) as denominator
    from runs
    union all
    select
        'cache_hit_rate' as kpi,
        month,
        team,
        cast(null as string) as billing_currency,
        cast(cache_read_tokens as decimal(38, 18)) as numerator,
        cast(input_tokens as double) as denominator
    from team_usage
    where cache_read_tokens is not null
    union all
    select
        'reasoning_token_ratio' as kpi,
        month,
        team,
        cast(null as string) as billing_currency,
        cast(reasoning_tokens as decimal(38, 18)) as numerator,
        cast(output_tokens_with_reasoning as double) as denominator
    from team_usage
    where reasoning_tokens is not null
    union all
    select
        'llm_error_rate' as kpi,
        month,
        team,
        cast(null as string) as billing_currency,
        cast(failed_requests as decimal(38, 18)) as numerator,
        cast(requests_with_outcome as double) as denominator
    from team_usage
    where failed_requests is not null
),

stacked as (
    select * from of_teams
    union all
    select
        kpi,
        month,
        cast(null as string) as team,
        billing_currency,
        numerator,
        denominator
    from of_teams
)

select
    kpi,
    month,
    team,
    billing_currency,
    cast(sum(numerator) as decimal(38, 18)) as numerator,
    cast(sum({{ as_amount('denominator') }}) as decimal(38, 18)) as denominator
from stacked
group by kpi, month, team, billing_currency
