{# Currencies in which two SELECTs of (billing_currency, billed_cost, effective_cost) do not add up to the same. #}
{% macro money_lost(before, after) %}
select
    billing_currency,
    sum(billed_cost) as billed_cost_lost,
    sum(effective_cost) as effective_cost_lost
from (
    select
        billing_currency,
        billed_cost,
        effective_cost
    from ({{ before }}) as before_rows

    union all

    select
        billing_currency,
        -billed_cost as billed_cost,
        -effective_cost as effective_cost
    from ({{ after }}) as after_rows
) as both_sides
group by billing_currency
having sum(billed_cost) <> 0 or sum(effective_cost) <> 0
{% endmacro %}

{# The totals of counted tokens and estimated amounts, where a mart does not have all of them. #}
{% macro usage_lost(mart) %}
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
    from {{ mart }}
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
{% endmacro %}

{# Rows of a mart whose effects do not add up to their change. #}
{% macro effects_left_over(mart, grain, change, effects) %}
with signed as (
    {% for effect in effects %}
    select
        {{ grain | join(', ') }},
        {{ effect }}_effect as amount
    from {{ mart }}
    union all
    {% endfor %}
    select
        {{ grain | join(', ') }},
        -{{ change }} as amount
    from {{ mart }}
)

select
    {{ grain | join(',\n    ') }},
    sum(amount) as left_over
from signed
group by {{ grain | join(', ') }}
having sum(amount) <> 0
{% endmacro %}
