{# Whether a charge's words tell of data moved over a network. Meters that end in Bytes but store or process are none. #}
{% macro tells_of_transfer(words) -%}
(
    {{ words }} like '%data transfer%'
    or {{ words }} like '%datatransfer%'
    or {{ words }} like '%data_transfer%'
    or {{ words }} like '%dataxfer%'
    or {{ words }} like '%aws-out-bytes%'
    or {{ words }} like '%aws-in-bytes%'
    or {{ words }} like '%egress%'
    or {{ words }} like '%ingress%'
    or {{ words }} like '%bandwidth%'
)
{%- endmacro %}
