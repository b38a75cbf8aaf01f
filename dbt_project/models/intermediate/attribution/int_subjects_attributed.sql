-- Every dimension of each subject, with the evidence that decided it; null where nothing did. Rules that look at other
-- dimensions are matched once for each combination of what subjects' own fields say: dimensions are decided one after
-- the other, in the order of the macro `dimensions`, so that nothing waits for itself.
-- Teams that take shares of pools are here too: a share has the cost centre and business unit of its new team.
{% set dimension_names = dimensions().keys() | list %}
{% set previous = ['combinations'] %}

with combinations as (
    select distinct
        combination_key,
        rules_as_of,
        cast(null as string) as consumer_team{% for dimension in dimension_names %},
        {{ dimension }},
        {{ dimension }}_evidence,
        {{ dimension }}_order{% endfor %}

    from {{ ref('int_subject_rules_matched') }}

    union all

    select distinct
        concat('team:', shared.consumer_team) as combination_key,
        periods.rules_as_of,
        shared.consumer_team{% for dimension in dimension_names %},
        {{ 'shared.consumer_team' if dimension == 'team' else 'cast(null as string)' }} as {{ dimension }},
        {{ "'share'" if dimension == 'team' else 'cast(null as string)' }} as {{ dimension }}_evidence,
        {{ "''" if dimension == 'team' else 'cast(null as string)' }} as {{ dimension }}_order{% endfor %}

    from {{ ref('stg_shared_cost_rule') }} as shared
    cross join {{ ref('stg_rule_period') }} as periods
),

{% for dimension in dimension_names[1:] %}
{% set before = previous[-1] %}
{% set earlier = dimension_names[:loop.index] %}
{{ dimension }}_candidates as (
    select
        {{ before }}.*,
        rules.evidence as candidate_evidence,
        rules.rule_order as candidate_order,
        coalesce(
            rules.value,
            case rules.field
                {% for name in earlier %}
                when '{{ name }}'
                    then {{ registered_name("'" ~ dimension ~ "'", before ~ '.' ~ name) }}
                {% endfor %}
            end
        ) as candidate_value,
        row_number() over (
            partition by {{ before }}.combination_key, {{ before }}.rules_as_of
            order by case when rules.rule_order is null then 2 else 1 end, rules.rule_order, rules.value
        ) as candidate_rank
    from {{ before }}
    left join {{ ref('int_tag_rules_completed') }} as rules
        on
            rules.dimension = '{{ dimension }}'
            and {{ rule_is_valid('rules', before ~ '.rules_as_of') }}
            and (
                {% for name in earlier %}
                {{ 'or ' if not loop.first }}(
                    rules.field = '{{ name }}'
                    and {{ pattern_matches('rules', before ~ '.' ~ name) }}
                )
                {% endfor %}
            )
),

{{ dimension }}_decided as (
    select
        combination_key,
        rules_as_of,
        consumer_team{% for name in dimension_names %},
        {% if name == dimension -%}
        case
            when candidate_order < coalesce({{ name }}_order, '9') then candidate_value
            else {{ name }}
        end as {{ name }},
        case
            when candidate_order < coalesce({{ name }}_order, '9') then candidate_evidence
            else {{ name }}_evidence
        end as {{ name }}_evidence,
        {{ name }}_order
        {%- else -%}
        {{ name }},
        {{ name }}_evidence,
        {{ name }}_order
        {%- endif %}{% endfor %}

    from {{ dimension }}_candidates
    where candidate_rank = 1
){{ ',' if not loop.last }}
{% do previous.append(dimension ~ '_decided') %}
{% endfor %}

select
    matched.subject_key,
    matched.rules_as_of,
    decided.consumer_team{% for dimension in dimension_names %},
    decided.{{ dimension }},
    decided.{{ dimension }}_evidence{% endfor %}

from {{ ref('int_subject_rules_matched') }} as matched
inner join {{ previous[-1] }} as decided
    on matched.combination_key = decided.combination_key and matched.rules_as_of = decided.rules_as_of

union all

select
    combination_key as subject_key,
    rules_as_of,
    consumer_team{% for dimension in dimension_names %},
    {{ dimension }},
    {{ dimension }}_evidence{% endfor %}

from {{ previous[-1] }}
where consumer_team is not null
