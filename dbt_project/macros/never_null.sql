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
