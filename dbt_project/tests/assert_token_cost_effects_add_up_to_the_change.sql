-- In every row price, volume, mix, new and ended models and what nobody counted add up to the whole change.
{% set item = ['month', 'service_provider_name', 'model', 'token_kind', 'service_tier', 'billing_currency'] %}

with signed as (
    {% for effect in [
        'price_effect', 'volume_effect', 'mix_effect', 'new_model_effect', 'ended_model_effect', 'uncounted_effect',
    ] %}
    select
        {{ item | join(', ') }},
        {{ effect }} as amount
    from {{ ref('fct_token_cost_change') }}
    union all
    {% endfor %}
    select
        {{ item | join(', ') }},
        -change as amount
    from {{ ref('fct_token_cost_change') }}
)

select
    {{ item | join(',\n    ') }},
    sum(amount) as left_over
from signed
group by {{ item | join(', ') }}
having sum(amount) <> 0
