{# Text under one key of a flat JSON object. #}
{% macro json_text(column, key) %}{{ return(adapter.dispatch('json_text')(column, key)) }}{% endmacro %}

{% macro default__json_text(column, key) %}json_extract_string({{ column }}, '$.{{ key }}'){% endmacro %}

{% macro spark__json_text(column, key) %}get_json_object({{ column }}, '$.{{ key }}'){% endmacro %}


{# The entries of a flat JSON object, one row each: (column, entry_key, entry_value). Rows without an object have none. #}
{% macro json_entries(relation, column) %}{{ return(adapter.dispatch('json_entries')(relation, column)) }}{% endmacro %}

{% macro default__json_entries(relation, column) %}
select
    objects.{{ column }},
    entry.key as entry_key,
    entry.value ->> '$' as entry_value
from {{ relation }} as objects, json_each(objects.{{ column }}) as entry
{% endmacro %}

{% macro spark__json_entries(relation, column) %}
select
    objects.{{ column }},
    entry.entry_key,
    entry.entry_value
from {{ relation }} as objects
lateral view explode(from_json(objects.{{ column }}, 'map<string, string>')) entry as entry_key, entry_value
{% endmacro %}
