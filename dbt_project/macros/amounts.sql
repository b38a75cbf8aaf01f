{# A DOUBLE as an amount, rounded once. Through its shortest text, so that 0.1 stays 0.1 on every engine. #}
{% macro as_amount(expression) %}cast(cast({{ expression }} as string) as decimal(38, 18)){% endmacro %}

{# a / b as DOUBLE, null where b is nothing: decimal division differs between engines. #}
{% macro ratio(numerator, denominator) -%}
cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}

{# a + b and a - b to the last digit: Spark takes a digit from the scale where both sides have 38 of them. #}
{% macro exact_sum(a, b) -%}
cast({{ a }} as decimal(37, 18)) + cast({{ b }} as decimal(37, 18))
{%- endmacro %}

{% macro exact_difference(a, b) -%}
cast({{ a }} as decimal(37, 18)) - cast({{ b }} as decimal(37, 18))
{%- endmacro %}

{# What was used of all units of one kind, in the smallest: units are those of ConsumedUnit and what each holds. #}
{% macro quantity_used(units) -%}
{{ return(as_amount('nullif(' ~ parts_used(units) ~ ', 0)')) }}
{%- endmacro %}

{% macro parts_used(units) -%}
{% set parts = [] %}
{% for unit, size in units.items() -%}
{% do parts.append(
    "coalesce(cast(sum(case when charge_category = 'Usage' and consumed_unit = '" ~ unit
    ~ "' then consumed_quantity end) as double), 0) * " ~ size
) %}
{%- endfor %}
{{ return(parts | join(' + ')) }}
{%- endmacro %}

{# How a value stands to the line that the plan draws for it. #}
{% macro line_status(value, line) -%}
case
        when {{ line }} is null then 'no line'
        when {{ value }} is null then 'unknown'
        when {{ value }} > cast({{ line }} as double) then 'over'
        else 'within'
    end
{%- endmacro %}

{# A part of an amount, exactly: rounded once to nine decimals, and the last part of the whole takes the residue. #}
{% macro exact_share(amount, share, is_last, whole) -%}
{% set part = as_amount('round(cast(' ~ amount ~ ' as double) * ' ~ share ~ ', 9)') -%}
case
            when {{ is_last }} then sum(case when {{ is_last }} then {{ amount }} else -{{ part }} end) over (
                partition by {{ whole }}
            )
            else {{ part }}
        end
{%- endmacro %}
