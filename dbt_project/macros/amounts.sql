{# A DOUBLE as an amount, rounded once. Through its shortest text, so that 0.1 stays 0.1 on every engine. #}
{% macro as_amount(expression) %}cast(cast({{ expression }} as string) as decimal(38, 18)){% endmacro %}

{# a / b as DOUBLE, null where b is nothing: decimal division differs between engines. #}
{% macro ratio(numerator, denominator) -%}
cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}

{# a - b to the last digit: Spark takes a digit from the scale where both sides have 38 of them. #}
{% macro exact_difference(a, b) -%}
cast({{ a }} as decimal(37, 18)) - cast({{ b }} as decimal(37, 18))
{%- endmacro %}
