{# Month of a date as text: 2026-10. #}
{% macro month_text(date) %}substr(cast({{ date }} as string), 1, 7){% endmacro %}

{# Months since the year 0: two of them differ by the months between. Engines count datediff in months differently. #}
{% macro month_number(date) %}(extract(year from {{ date }}) * 12 + extract(month from {{ date }})){% endmacro %}

{# The month before a month, both as text. #}
{% macro month_before(month) -%}
{{ month_text(dbt.dateadd('month', -1, "cast(concat(" ~ month ~ ", '-01') as date)")) }}
{%- endmacro %}
