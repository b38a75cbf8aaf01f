{# Columns in which a null was found, in one test for all that promise to have none: a test for each costs more than the
   rows it reads. In marts the contract holds the promise. #}
{% test never_null(model, columns) %}
{% for column in columns %}
select
    '{{ column }}' as column_name,
    count(*) as rows_without_it
from {{ model }}
where {{ column }} is null
having count(*) > 0
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}

{# Refuses a mart in which a column is null that its contract promises not to be: Spark keeps a contract's types alone. #}
{% macro refuse_nulls() %}{{ return(adapter.dispatch('refuse_nulls')()) }}{% endmacro %}

{% macro default__refuse_nulls() %}{% endmacro %}

{% macro spark__refuse_nulls() %}
{% set promised = [] %}
{% for column in model.columns.values() if 'not_null' in column.constraints | map(attribute='type') | map('string') %}
    {% do promised.append(
        "assert_true(count(" ~ column.name ~ ") = count(*), 'null in " ~ this ~ "." ~ column.name ~ "')"
    ) %}
{% endfor %}
{% if promised %}select {{ promised | join(', ') }} from {{ this }}{% endif %}
{% endmacro %}
