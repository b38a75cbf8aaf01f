{# Whether a budget binds a cost: it is of everything that the budget names. #}
{% macro budget_binds(budget, cost) -%}
({{ budget }}.team is null or {{ name_key(budget ~ '.team') }} = {{ name_key(cost ~ '.team') }})
            and ({{ budget }}.product is null or {{ name_key(budget ~ '.product') }} = {{ name_key(cost ~ '.product') }})
            and ({{ budget }}.use_case is null or {{ name_key(budget ~ '.use_case') }} = {{ name_key(cost ~ '.use_case') }})
            and (
                {{ budget }}.service_name is null
                or {{ name_key(budget ~ '.service_name') }} = {{ name_key(cost ~ '.service_name') }}
            )
            and ({{ budget }}.lifecycle is null or {{ budget }}.lifecycle = {{ cost }}.lifecycle)
{%- endmacro %}
