-- Every month in which anything was spent, of the company and of each team, with and without its currencies.
{% set scopes = {'company': 'cast(null as string)', 'team': 'team'} %}
{% for scope, team in scopes.items() %}
{% for currency in ['billing_currency', 'cast(null as string)'] %}
select distinct
    {{ month_text('charge_date') }} as month,
    '{{ scope }}' as scope,
    {{ team }} as team,
    {{ currency }} as billing_currency
from {{ ref('int_costs_allocated') }}
{{ 'union all' if not loop.last }}
{% endfor %}
{{ 'union all' if not loop.last }}
{% endfor %}
