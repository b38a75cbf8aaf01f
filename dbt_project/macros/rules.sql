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

{# The rules that every plan has, so that plainly tagged charges need none: dimension, rank among those of the dimension,
   what they look at. #}
{% macro built_in_rules() -%}
select *
    from (
        values
        ('team', 1, 'tag', 'team'),
        ('product', 1, 'tag', 'product'),
        ('use_case', 1, 'tag', 'use_case'),
        ('model', 1, 'x_model', ''),
        ('model', 2, 'tag', 'model'),
        ('environment', 1, 'tag', 'environment'),
        ('environment', 2, 'tag', 'env'),
        ('application', 1, 'tag', 'application'),
        ('application', 2, 'tag', 'app'),
        ('project', 1, 'tag', 'project'),
        ('cost_center', 1, 'tag', 'cost_center'),
        ('cost_center', 2, 'tag', 'cost_centre'),
        ('business_unit', 1, 'tag', 'business_unit')
    ) as rules (dimension, rank_among_built_in, field, tag_key)
{%- endmacro %}

{# Tag key as rules compare it: a name, without the prefix that AWS exports put before user tags. #}
{% macro tag_key(expression) -%}
{{ name_key("regexp_replace(lower(" ~ expression ~ "), '^user[:_]', '')") }}
{%- endmacro %}

{# Whether a rule's operator and pattern match a value. A pattern of `like` is also read as the name it spells, unless
   nothing but wildcards is left of it then. #}
{% macro pattern_matches(rule, value) -%}
case {{ rule }}.operator
        when 'present' then {{ value }} is not null
        when 'equals'
            then case
                when {{ rule }}.field in ('{{ identifier_fields() | join("', '") }}')
                    then {{ identifier_key(value) }} = {{ identifier_key(rule ~ '.pattern') }}
                else {{ name_key(value) }} = {{ name_key(rule ~ '.pattern') }}
            end
        when 'like'
            then
                {{ identifier_key(value) }} like {{ identifier_key(rule ~ '.pattern') }}
                or (
                    {{ rule }}.field not in ('{{ identifier_fields() | join("', '") }}')
                    and replace({{ name_key(rule ~ '.pattern') }}, '%', '') <> ''
                    and {{ name_key(value) }} like {{ name_key(rule ~ '.pattern') }}
                )
    end
{%- endmacro %}

{# Whether a rule holds on the day as of which rules are read. #}
{% macro rule_is_valid(rule, rules_as_of) -%}
({{ rule }}.valid_from is null or {{ rule }}.valid_from <= {{ rules_as_of }})
    and ({{ rule }}.valid_to is null or {{ rule }}.valid_to > {{ rules_as_of }})
{%- endmacro %}

{# Whether a day is in a period, in which rules are read as of its first day. #}
{% macro in_period(day, period) -%}
{{ day }} >= {{ period }}.rules_as_of
    and ({{ period }}.valid_to is null or {{ day }} < {{ period }}.valid_to)
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
