{# The first of these words in a text, where it stands alone: prod in proj_search_prod and not in product.
   Null where there is none. #}
{% macro word_found(expression, words) -%}
nullif(regexp_extract(concat(' ', lower({{ expression }}), ' '), '[^a-z0-9]({{ words | join('|') }})[^a-z0-9]', 1), '')
{%- endmacro %}
