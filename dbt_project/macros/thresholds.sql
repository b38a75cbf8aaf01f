{# The limit that holds for a measure, as a number: the plan's before a default, the least where editions differ. #}
{% macro limit_of(measure) -%}
(
            select coalesce(min(case when decided_by = 'plan' then value end), min(value))
            from {{ ref('dim_threshold') }}
            where measure = '{{ measure }}' and grade = 'limit'
        )
{%- endmacro %}
