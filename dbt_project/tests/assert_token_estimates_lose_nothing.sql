-- Every token that anybody counted, and every estimated amount, is in fct_token_estimated_cost once.
with counted as (
    select
        sum(total_tokens) as tokens,
        sum(estimated_cost) as estimated_cost
    from {{ ref('int_ai_usage_counted') }}
),

shown as (
    select
        sum(tokens) as tokens,
        sum(estimated_cost) as estimated_cost
    from {{ ref('fct_token_estimated_cost') }}
)

select
    counted.tokens as counted_tokens,
    shown.tokens as shown_tokens,
    counted.estimated_cost as counted_estimate,
    shown.estimated_cost as shown_estimate
from counted
cross join shown
where
    coalesce(counted.tokens, 0) <> coalesce(shown.tokens, 0)
    or coalesce(counted.estimated_cost, 0) <> coalesce(shown.estimated_cost, 0)
