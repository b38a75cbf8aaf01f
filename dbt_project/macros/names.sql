{# A name as it is compared with others, wherever two tables meet: without case, blanks of any kind, dashes and
   underscores. Null stays null; what has nothing else in it becomes empty and is nobody's name.
   After the plain ones stand the tab, line feed and carriage return, the no-break, figure, narrow and zero-width blanks
   that spreadsheets and chats leave behind, and the dashes that editors put for a hyphen. #}
{% macro name_key(expression) -%}
translate(
        lower({{ expression }}),
        ' -_{{ "\t\n\r\u00a0\u2007\u202f\u200b\ufeff\u2010\u2011\u2012\u2013\u2014" }}', ''
    )
{%- endmacro %}

{# An identifier as it is compared with others: dashes and blanks inside it tell it from others. #}
{% macro identifier_key(expression) %}lower(trim({{ expression }})){% endmacro %}

{# The fields of a rule that hold identifiers or sentences, and not names. #}
{% macro identifier_fields() -%}
{{ return(['billing_account_id', 'sub_account_id', 'resource_id', 'resource_name', 'api_key_id', 'charge_description']) }}
{%- endmacro %}

{# The one spelling in which a name of a dimension is shown, and by which everything after staging joins: that of
   stg_name. A scalar subquery, so that looking a name up never multiplies rows; the aggregate is what Spark wants of
   one. #}
{% macro registered_name(dimension, expression) -%}
coalesce(
        (
            select max(names.name) as name
            from {{ ref('stg_name') }} as names
            where names.dimension = {{ dimension }} and names.name_key = {{ name_key(expression) }}
        ),
        {{ identifier_key(expression) }}
    )
{%- endmacro %}

{# Whether two name keys are so near that one may be meant by the other: one letter off, or two of a long name, or the
   same letters in another order. Names that only their digits tell apart are different things. #}
{% macro is_near(one, other) -%}
(
        {{ one }} <> {{ other }}
        and length({{ one }}) >= 4
        and length({{ other }}) >= 4
        and translate({{ one }}, '0123456789', '') <> translate({{ other }}, '0123456789', '')
        and (
            levenshtein({{ one }}, {{ other }}) = 1
            or (
                levenshtein({{ one }}, {{ other }}) = 2
                and (
                    (length({{ one }}) >= 8 and length({{ other }}) >= 8)
                    or {{ letters_sorted(one) }} = {{ letters_sorted(other) }}
                )
            )
        )
    )
{%- endmacro %}

{# The letters of a text in their order in the alphabet. #}
{% macro letters_sorted(expression) %}{{ return(adapter.dispatch('letters_sorted')(expression)) }}{% endmacro %}

{% macro default__letters_sorted(expression) %}array_to_string(list_sort(string_split({{ expression }}, '')), ''){% endmacro %}

{% macro spark__letters_sorted(expression) %}array_join(array_sort(split({{ expression }}, '')), ''){% endmacro %}

{# Who has which name of a team, a use case or a product: (dimension, name, known_by). Known are those of charges and
   counted requests, of telemetry and outcomes, and what the plan itself gives a name to: its owners, rules, aliases
   and accounts. #}
{% macro names_known() -%}
{% for dimension in ['team', 'use_case', 'product'] %}
    select
        '{{ dimension }}' as dimension,
        {{ dimension }} as name,
        'charges' as known_by
    from {{ ref('int_subjects_attributed') }}
    where {{ dimension }} is not null and consumer_team is null
    union distinct
    {% endfor %}
    {% for dataset, name in [
        ('gpu_utilization', 'team'), ('training_run', 'team'), ('training_run', 'use_case'), ('outcome', 'use_case'),
    ] %}
    select
        '{{ name }}' as dimension,
        {{ name }} as name,
        '{{ dataset }}' as known_by
    from {{ ref('stg_' ~ dataset) }}
    where {{ name }} is not null
    union distinct
    {% endfor %}
    select
        dimension,
        name,
        registered_in as known_by
    from {{ ref('stg_name') }}
    where
        dimension in ('team', 'use_case', 'product')
        and registered_in in ('built in', 'owner', 'tag_rule', 'tag_alias', 'account')
    union distinct
    select
        dimension,
        name,
        'charges' as known_by
    from {{ ref('stg_name') }}
    where dimension = 'service_name' and registered_in = 'cost_and_usage'
{%- endmacro %}
