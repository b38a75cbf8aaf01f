-- The shares of all pools that stay with their team: what one pool passed on to another is here only as its shares.
{% set columns = cost_columns() + allocation_columns() + split_amounts() + ['charge_count'] %}

{% for model in ['int_first_shares_split', 'int_second_shares_split', 'int_third_shares_split'] %}
select
    {{ columns | join(',\n    ') }}
from {{ ref(model) }}
where next_stage is null
{{ 'union all' if not loop.last }}
{% endfor %}
