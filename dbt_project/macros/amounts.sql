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

{# How a value stands to the threshold that the plan sets for it. #}
{% macro line_status(value, threshold) -%}
case
        when {{ threshold }} is null then 'no line'
        when {{ value }} is null then 'unknown'
        when {{ value }} > cast({{ threshold }} as double) then 'over'
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

{# An amount times a rate to the last digit, rounded once: through a DOUBLE it keeps 16 of 38 digits, and Spark cuts the
   scale of a product of wide decimals. So each side is cut in two, and the four products, which both engines hold
   exactly, are added up. An amount has at most 18 digits before the point, a rate 10. #}
{% macro exact_product(amount, rate) -%}
{% set whole = 'cast(' ~ amount ~ ' as decimal(18, 0))' -%}
{% set rest = 'cast(cast(' ~ amount ~ ' as decimal(37, 18)) - ' ~ whole ~ ' as decimal(18, 18))' -%}
{% set coarse = 'cast(' ~ rate ~ ' as decimal(19, 9))' -%}
{% set fine = 'cast(cast(' ~ rate ~ ' as decimal(37, 18)) - ' ~ coarse ~ ' as decimal(18, 18))' -%}
({{ exact_sum(
    exact_sum(whole ~ ' * ' ~ coarse, whole ~ ' * ' ~ fine),
    'cast(' ~ rest ~ ' * ' ~ coarse ~ ' as decimal(37, 27)) + cast(' ~ rest ~ ' * ' ~ fine ~ ' as decimal(36, 27))'
) }})
{%- endmacro %}

{# 1 over a rate to 18 digits: what a DOUBLE says, and one step of Newton's for the digits that it lacks. #}
{% macro exact_inverse(rate) -%}
{% set near = as_amount('1 / cast(' ~ rate ~ ' as double)') -%}
{{ exact_sum(
    near,
    as_amount('cast(' ~ near ~ ' as double) * cast(' ~ exact_difference('1', exact_product(near, rate)) ~ ' as double)')
) }}
{%- endmacro %}

{# The exchange rates of the plan, each both ways: what turns EUR into USD turns USD into EUR, as 1 over it. #}
{% macro exchange_rates() %}
{% for is_stated in [true, false] %}
select
    use_case,
    {{ 'currency' if is_stated else 'to_currency' }} as from_currency,
    {{ 'to_currency' if is_stated else 'currency' }} as to_currency,
    {{ 'value' if is_stated else exact_inverse('value') }} as rate,
    {{ is_stated }} as is_stated,
    valid_from,
    evidence,
    x_source_row
from {{ ref('stg_assumption') }}
where name = 'exchange_rate' and value > 0
{{ 'union all' if is_stated }}
{% endfor %}
{% endmacro %}
