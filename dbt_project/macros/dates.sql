{# Month of a date as text: 2026-10. #}
{% macro month_text(date) %}substr(cast({{ date }} as string), 1, 7){% endmacro %}
