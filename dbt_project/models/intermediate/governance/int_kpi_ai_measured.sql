-- The KPIs of AI use: tokens, requests, cache, reasoning, errors, training and return. A row without a team is the
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

request_costs as (
    select
        model_costs.month,
        model_costs.team,
        model_costs.billing_currency,
        sum(model_costs.effective_cost) as effective_cost,
        sum(used.requests) as requests
    from model_costs
    inner join {{ ref('int_team_usage_summed') }} as used
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
    {% for kpi, (numerator, denominator) in {
        'cache_hit_rate': ('cache_read_tokens', 'input_tokens'),
        'reasoning_token_ratio': ('reasoning_tokens', 'output_tokens_with_reasoning'),
        'llm_error_rate': ('failed_requests', 'requests_with_outcome'),
    }.items() %}
    union all
    select
        '{{ kpi }}' as kpi,
        month,
        team,
        cast(null as string) as billing_currency,
        cast({{ numerator }} as decimal(38, 18)) as numerator,
        cast({{ denominator }} as double) as denominator
    from {{ ref('int_team_usage_summed') }}
    where {{ numerator }} is not null
    {% endfor %}
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
    union all
    select
        'return_on_investment' as kpi,
        month,
        cast(null as string) as team,
        currency as billing_currency,
        margin as numerator,
        cast(effective_cost as double) as denominator
    from {{ ref('fct_use_case_value') }}
    where margin is not null
)

select
    kpi,
    month,
    team,
    billing_currency,
    cast(sum(numerator) as decimal(38, 18)) as numerator,
    cast(sum({{ as_amount('denominator') }}) as decimal(38, 18)) as denominator,
    cast(null as string) as missing_reason
from stacked
group by kpi, month, team, billing_currency
