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

{# On which line of a team's statement a cost stands: a share of a pool, the team's own usage, or its other charges. #}
{% macro statement_line() -%}
case
            when allocation_rule is not null then 'shared'
            when charge_kind = 'usage' then 'direct'
            else charge_kind
        end
{%- endmacro %}
