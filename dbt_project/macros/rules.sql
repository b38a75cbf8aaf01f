{# What a rule can look at on a charge, and on a request counted by the vendor. #}
{% macro subject_columns() -%}
{{ return(['service_provider_name', 'billing_account_id', 'sub_account_id', 'service_name', 'resource_id',
           'resource_name', 'x_api_key_id', 'charge_description', 'x_model', 'tags']) }}
{%- endmacro %}

{# Counted usage in the columns that a rule can look at, under the names they have on a charge. #}
{% macro usage_subject_columns(usage) -%}
{{ usage }}.vendor as service_provider_name,
        {{ usage }}.account_id as billing_account_id,
        {{ usage }}.project_id as sub_account_id,
        cast(null as string) as service_name,
        cast(null as string) as resource_id,
        cast(null as string) as resource_name,
        {{ usage }}.api_key_id as x_api_key_id,
        cast(null as string) as charge_description,
        cast(null as string) as tags,
        {{ usage }}.model as x_model
{%- endmacro %}

{# One short key of several columns: joins compare it instead of long texts, and nulls are equal.
   Control characters separate, because no identifier, description or JSON text can hold them unescaped. #}
{% macro row_key(columns) -%}
md5(concat_ws(chr(31){% for column in columns %}, coalesce(cast({{ column }} as string), chr(30)){% endfor %}))
{%- endmacro %}

{% macro subject_key() %}{{ row_key(subject_columns()) }}{% endmacro %}

{# A name as it is compared: without case, spaces, dashes and underscores. #}
{% macro plain_name(expression) %}translate(lower({{ expression }}), ' -_', ''){% endmacro %}

{# Tag key as rules compare it: a plain name, without the prefix that AWS exports put before user tags. #}
{% macro tag_key(expression) -%}
{{ plain_name("regexp_replace(lower(" ~ expression ~ "), '^user[:_]', '')") }}
{%- endmacro %}

{# Whether a rule's operator and pattern match a value. #}
{% macro pattern_matches(rule, value) -%}
case {{ rule }}.operator
        when 'present' then {{ value }} is not null
        when 'equals' then lower({{ value }}) = lower({{ rule }}.pattern)
        when 'like' then lower({{ value }}) like lower({{ rule }}.pattern)
    end
{%- endmacro %}

{# Whether a rule holds on the day as of which rules are read. #}
{% macro rule_is_valid(rule, rules_as_of) -%}
({{ rule }}.valid_from is null or {{ rule }}.valid_from <= {{ rules_as_of }})
    and ({{ rule }}.valid_to is null or {{ rule }}.valid_to > {{ rules_as_of }})
{%- endmacro %}

{# Whether a rule matches a field of a subject on the days the subject's rules are read as of. #}
{% macro rule_matches(rule, subject) -%}
{{ rule }}.field = {{ subject }}.field
    and coalesce({{ rule }}.tag_key, '') = {{ subject }}.tag_key
    and {{ pattern_matches(rule, subject ~ '.field_value') }}
    and {{ rule_is_valid(rule, subject ~ '.rules_as_of') }}
{%- endmacro %}

{# Text by which rules of one dimension are put in order: the lowest decides. #}
{% macro rule_order(rule_rank, priority, rule_id) -%}
concat(
        cast({{ rule_rank }} as string), ':', lpad(cast({{ priority }} as string), 19, '0'), ':',
        coalesce({{ rule_id }}, '')
    )
{%- endmacro %}
