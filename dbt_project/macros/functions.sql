{# Name of a serverless function in its id on the bill: what follows :function: or the last slash, without a version. #}
{% macro function_name(resource_id) -%}
regexp_replace(regexp_replace({{ resource_id }}, '^.*(:function:|/)', ''), ':.*$', '')
{%- endmacro %}
