{# Instance type without the prefix of a managed service: ml.g5.xlarge is a g5.xlarge. #}
{% macro plain_instance_type(expression) %}regexp_replace({{ expression }}, '^ml[.]', ''){% endmacro %}

{# Whether a lower value of a metric is the better one, by its name: a loss or an error, but not what was gained on it. #}
{% macro lower_is_better(metric) -%}
(
    regexp_replace(
        lower({{ metric }}),
        '^(|.*[^a-z])(loss|error|errors|perplexity|rmse|mse|mae|mape|wer|cer)([^a-z].*|)$', ''
    ) <> lower({{ metric }})
    and regexp_replace(lower({{ metric }}), '^.*(gain|reduction|improvement).*$', '') = lower({{ metric }})
)
{%- endmacro %}

{# Hours from one instant to another as DOUBLE. #}
{% macro hours_between(start, end) %}cast({{ dbt.datediff(start, end, 'second') }} as double) / 3600{% endmacro %}

{# Day of the week of a date: 1 is Monday, 7 Sunday. #}
{% macro weekday(date) -%}
cast(mod({{ dbt.datediff("cast('1900-01-01' as date)", date, 'day') }}, 7) + 1 as bigint)
{%- endmacro %}
