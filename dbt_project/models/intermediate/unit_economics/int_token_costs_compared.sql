-- What each kind of token of each model cost in a month and in the month before, one row per month in which either did.
-- The first month of all has nothing to be compared with. Tokens stand beside the cost whose tokens are counted.
-- Changes are sums of both sides, because Spark drops a digit where it subtracts wide decimals.
{% set item = ['service_provider_name', 'model', 'token_kind', 'service_tier', 'billing_currency'] %}

with monthly as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        model,
        x_token_kind as token_kind,
        coalesce(x_service_tier, 'unknown') as service_tier,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(case when tokens > 0 then effective_cost end) as counted_cost,
        sum(case when tokens > 0 then tokens end) as tokens
    from {{ ref('int_token_charges_counted') }}
    group by
        {{ month_text('charge_date') }}, service_provider_name, model, x_token_kind,
        coalesce(x_service_tier, 'unknown'), billing_currency
),

bounds as (
    select
        min(month) as first_month,
        max(month) as last_month
    from monthly
),

sides as (
    select
        month,
        {{ item | join(',\n        ') }},
        'after' as side,
        effective_cost,
        counted_cost,
        tokens
    from monthly
    union all
    select
        {{ month_text(dbt.dateadd('month', 1, "cast(concat(month, '-01') as date)")) }} as month,
        {{ item | join(',\n        ') }},
        'before' as side,
        effective_cost,
        counted_cost,
        tokens
    from monthly
)

select
    sides.month,
    {% for column in item %}sides.{{ column }},
    {% endfor -%}
    sum(case when sides.side = 'before' then sides.effective_cost end) as cost_before,
    sum(case when sides.side = 'after' then sides.effective_cost end) as cost_after,
    sum(case when sides.side = 'before' then -sides.effective_cost else sides.effective_cost end) as change,
    sum(case when sides.side = 'before' then sides.counted_cost end) as counted_cost_before,
    sum(case when sides.side = 'after' then sides.counted_cost end) as counted_cost_after,
    coalesce(
        sum(case when sides.side = 'before' then -sides.counted_cost else sides.counted_cost end),
        cast(0 as decimal(38, 18))
    ) as counted_change,
    sum(case when sides.side = 'before' then sides.tokens end) as tokens_before,
    sum(case when sides.side = 'after' then sides.tokens end) as tokens_after
from sides
cross join bounds
where sides.month > bounds.first_month and sides.month <= bounds.last_month
group by
    sides.month{% for column in item %},
    sides.{{ column }}{% endfor %}
