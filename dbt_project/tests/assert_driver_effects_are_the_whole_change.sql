-- Price, volume, mix, new, ended and uncounted add up to the change of each row to the last digit.
{% set row_key = [
    'period_kind', 'period_start', 'team', 'service_provider_name', 'service_name', 'model', 'sku', 'unit',
    'billing_currency',
] %}

with parts as (
    {% for effect in ['price', 'volume', 'mix', 'new', 'ended', 'uncounted'] %}
    select
        {{ row_key | join(', ') }},
        {{ effect }}_effect as amount
    from {{ ref('fct_top_drivers') }}
    union all
    {% endfor %}
    select
        {{ row_key | join(', ') }},
        -cost_change as amount
    from {{ ref('fct_top_drivers') }}
)

select
    {{ row_key | join(',\n    ') }},
    sum(amount) as unexplained
from parts
group by {{ row_key | join(', ') }}
having sum(amount) <> 0
