{# What a rule can look at on a charge, and on a request counted by the vendor. #}
{% macro subject_columns() -%}
{{ return(['billing_account_id', 'sub_account_id', 'service_name', 'resource_id', 'x_api_key_id', 'charge_description',
           'x_model', 'tags']) }}
{%- endmacro %}

{# One short key for those columns: joins compare it instead of eight long texts, and nulls are equal.
   Control characters separate, because no identifier, description or JSON text can hold them unescaped. #}
{% macro subject_key() -%}
md5(concat_ws(chr(31){% for column in subject_columns() %}, coalesce({{ column }}, chr(30)){% endfor %}))
{%- endmacro %}

{# Tag key as rules compare it: lower case, without the prefix that AWS exports put before user tags. #}
{% macro tag_key(expression) %}regexp_replace(lower({{ expression }}), '^user[:_]', ''){% endmacro %}

{# Whether a rule matches a field of a subject on the days the subject's rules are read as of. #}
{% macro rule_matches(rule, subject) -%}
{{ rule }}.field = {{ subject }}.field
    and coalesce({{ rule }}.tag_key, '') = {{ subject }}.tag_key
    and case {{ rule }}.operator
        when 'present' then true
        when 'equals' then lower({{ subject }}.field_value) = lower({{ rule }}.pattern)
        when 'like' then lower({{ subject }}.field_value) like lower({{ rule }}.pattern)
    end
    and ({{ rule }}.valid_from is null or {{ rule }}.valid_from <= {{ subject }}.rules_as_of)
    and ({{ rule }}.valid_to is null or {{ rule }}.valid_to > {{ subject }}.rules_as_of)
{%- endmacro %}
