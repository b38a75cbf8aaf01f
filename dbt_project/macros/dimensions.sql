{# Every dimension in the order in which they are decided: a rule may look at those before its own. Beside each, what a
   charge has where nothing decides. #}
{% macro dimensions() -%}
{{ return({
    'model': 'unknown', 'environment': 'unknown', 'project': 'unallocated', 'application': 'unallocated',
    'use_case': 'unallocated', 'product': 'unallocated', 'team': 'unallocated', 'cost_center': 'unallocated',
    'business_unit': 'unallocated',
}) }}
{%- endmacro %}

{# Those of them that an account of the plan can give to the charges below it. #}
{% macro account_dimensions() -%}
{{ return(dimensions().keys() | reject('equalto', 'model') | list) }}
{%- endmacro %}

{# What tells costs apart before and after allocation. #}
{% macro cost_columns() -%}
{{ return(
    ['charge_date', 'billing_month', 'is_closed'] + (dimensions().keys() | list) + [
        'service_provider_name', 'service_category', 'service_name', 'charge_category', 'charge_kind', 'lifecycle',
        'lifecycle_evidence', 'persistence', 'persistence_evidence', 'billing_currency',
    ]
) }}
{%- endmacro %}

{# How a cost came to its team. #}
{% macro allocation_columns() -%}
{{ return([
    'origin_team', 'team_evidence', 'allocation', 'allocation_rule', 'pool', 'allocation_path', 'driver',
    'driver_quantity', 'driver_ratio',
]) }}
{%- endmacro %}

{# The amounts that are split: what they add up to before, they add up to after. #}
{% macro split_amounts() -%}
{{ return(['billed_cost', 'effective_cost', 'commitment_saving'] + dated_amounts()) }}
{%- endmacro %}

{# What a day costs beyond what was reported of it, and what of both is of charges longer than a day. #}
{% macro dated_amounts() -%}
{{ return(['estimated_cost', 'estimated_margin', 'spread_cost', 'standing_cost']) }}
{%- endmacro %}

{# On which line of a team's statement a cost stands: a share of a pool, the team's own usage, or its other charges. #}
{% macro statement_line() -%}
case
            when allocation_rule is not null then 'shared'
            when charge_kind = 'usage' then 'direct'
            else charge_kind
        end
{%- endmacro %}
