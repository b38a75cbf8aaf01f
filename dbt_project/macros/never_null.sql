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

{# Stands in for dbt-spark's own, which alters columns to "not null": Spark's tables of files cannot be, so their rows are
   asked. #}
{% macro spark__persist_constraints(relation, model) %}
{% set promised = [] %}
{% for column in model.columns.values() if 'not_null' in column.constraints | map(attribute='type') | map('string') %}
    {% do promised.append(
        "assert_true(count(" ~ column.name ~ ") = count(*), 'null in " ~ relation ~ "." ~ column.name ~ "')"
    ) %}
{% endfor %}
{% if promised %}
    {% call statement() %}select {{ promised | join(', ') }} from {{ relation }}{% endcall %}
{% endif %}
{% endmacro %}
