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
