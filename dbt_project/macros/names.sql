{# A name as it is compared with others, wherever two tables meet: without case, blanks of any kind, dashes and
   underscores. Null stays null; what has nothing else in it becomes empty and is nobody's name.
   After the plain ones stand the tab, line feed and carriage return, the no-break, figure, narrow and zero-width blanks
   that spreadsheets and chats leave behind, and the dashes that editors put for a hyphen. #}
{% macro name_key(expression) -%}
translate(
        lower({{ expression }}),
        ' -_{{ "\t\n\r\u00a0\u2007\u202f\u200b\ufeff\u2010\u2011\u2012\u2013\u2014" }}', ''
    )
{%- endmacro %}

{# An identifier as it is compared with others: dashes and blanks inside it tell it from others. #}
{% macro identifier_key(expression) %}lower(trim({{ expression }})){% endmacro %}

{# The fields of a rule that hold identifiers or sentences, and not names. #}
{% macro identifier_fields() -%}
{{ return(['billing_account_id', 'sub_account_id', 'resource_id', 'resource_name', 'api_key_id', 'charge_description']) }}
{%- endmacro %}

{# The one spelling in which a name of a dimension is shown, and by which everything after staging joins: that of
   stg_name. A scalar subquery, so that looking a name up never multiplies rows; the aggregate is what Spark wants of
   one. #}
{% macro registered_name(dimension, expression) -%}
coalesce(
        (
            select max(names.name) as name
            from {{ ref('stg_name') }} as names
            where names.dimension = {{ dimension }} and names.name_key = {{ name_key(expression) }}
        ),
        {{ identifier_key(expression) }}
    )
{%- endmacro %}
