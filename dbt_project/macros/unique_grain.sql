{# Rows that share a grain. Unlike a unique key, two nulls count as equal here: a null must not hide a doubled row. #}
{% test unique_grain(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_sharing_it
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
