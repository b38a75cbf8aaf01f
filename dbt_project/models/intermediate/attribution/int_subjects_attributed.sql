-- Every dimension of each subject, with the evidence that decided it; null where nothing did.
-- Of all rules that match the subject's own fields the first decides. Where none does, the account does, the sub account
-- before the billing account, each as the plan's tree of accounts says, which is followed eight levels up.
-- Rules that look at other dimensions come after: dimensions are decided one after the other, in the order of the macro
-- `dimensions`, so that nothing waits for itself. Subjects that are told the same share a combination, for which those
-- rules are matched once for all.
-- Teams that take shares of pools are here too: a share has the cost centre and business unit of its new team.
{% set names = dimensions().keys() | list %}
{% set told_columns = ['rules_as_of'] %}
{% for name in names %}
{% do told_columns.extend(['own_' ~ name, 'own_' ~ name ~ '_evidence', 'own_' ~ name ~ '_order']) %}
{% endfor %}

with accounts as (
    select
        *,
        {{ row_key([name_key('provider'), identifier_key('account_id')]) }} as account_key,
        {{ row_key([name_key('provider'), identifier_key('parent_account_id')]) }} as parent_key,
        count(*) over (partition by {{ identifier_key('account_id') }}) = 1 as is_only_one
    from {{ ref('stg_account') }}
),

-- The accounts above each account: itself, its parent, then two by two, and four by four.
one_up as (
    select
        account_key,
        account_key as ancestor_key,
        0 as distance
    from accounts
    union all
    select
        account_key,
        parent_key as ancestor_key,
        1 as distance
    from accounts
    where parent_account_id is not null
),

two_up as (
    select distinct
        lower_half.account_key,
        upper_half.ancestor_key,
        lower_half.distance + upper_half.distance as distance
    from one_up as lower_half
    inner join one_up as upper_half on lower_half.ancestor_key = upper_half.account_key
),

four_up as (
    select distinct
        lower_half.account_key,
        upper_half.ancestor_key,
        lower_half.distance + upper_half.distance as distance
    from two_up as lower_half
    inner join two_up as upper_half on lower_half.ancestor_key = upper_half.account_key
),

eight_up as (
    select distinct
        lower_half.account_key,
        upper_half.ancestor_key,
        lower_half.distance + upper_half.distance as distance
    from four_up as lower_half
    inner join four_up as upper_half on lower_half.ancestor_key = upper_half.account_key
),

account_dimensions (dimension) as (
    select *
    from (
        values
        ('environment'),
        ('project'),
        ('application'),
        ('use_case'),
        ('product'),
        ('team'),
        ('cost_center'),
        ('business_unit')
    )
),

given as (
    select
        accounts.account_key,
        accounts.account_id,
        account_dimensions.dimension,
        case account_dimensions.dimension
            when 'environment' then accounts.environment
            when 'project' then accounts.project
            when 'application' then accounts.application
            when 'use_case' then accounts.use_case
            when 'product' then accounts.product
            when 'team' then accounts.team
            when 'cost_center' then accounts.cost_center
            when 'business_unit' then accounts.business_unit
        end as dimension_value
    from accounts
    cross join account_dimensions
),

-- What each account gives to the charges below it: its own value, else that of the nearest account above it.
account_values as (
    select
        {{ name_key('accounts.provider') }} as provider,
        {{ identifier_key('accounts.account_id') }} as account_id,
        accounts.is_only_one,
        given.dimension,
        given.dimension_value,
        concat('account:', given.account_id) as evidence,
        row_number() over (
            partition by accounts.account_key, given.dimension
            order by eight_up.distance
        ) as nearness
    from accounts
    inner join eight_up on accounts.account_key = eight_up.account_key
    inner join given on eight_up.ancestor_key = given.account_key
    where given.dimension_value is not null
),

candidates as (
    select
        fields.subject_key,
        fields.rules_as_of,
        rules.dimension,
        rules.evidence,
        rules.rule_order,
        coalesce(rules.value, names.name, {{ identifier_key('fields.field_value') }}) as dimension_value
    from {{ ref('int_subject_fields_unpivoted') }} as fields
    inner join {{ ref('int_tag_rules_completed') }} as rules on {{ rule_matches('rules', 'fields') }}
    left join {{ ref('stg_name') }} as names
        on rules.dimension = names.dimension and {{ name_key('fields.field_value') }} = names.name_key

    union all

    select
        fields.subject_key,
        fields.rules_as_of,
        accounts.dimension,
        accounts.evidence,
        {{ rule_order('3', "case fields.field when 'sub_account_id' then 1 else 2 end", "''") }} as rule_order,
        accounts.dimension_value
    from {{ ref('int_subject_fields_unpivoted') }} as fields
    inner join account_values as accounts
        on {{ identifier_key('fields.field_value') }} = accounts.account_id and accounts.nearness = 1
    left join {{ ref('int_subject_fields_unpivoted') }} as providers
        on
            fields.subject_key = providers.subject_key
            and fields.rules_as_of = providers.rules_as_of
            and providers.field = 'service_provider_name'
    where
        fields.field in ('sub_account_id', 'billing_account_id')
        and (accounts.is_only_one or {{ name_key('providers.field_value') }} = accounts.provider)
),

ranked as (
    select
        *,
        row_number() over (
            partition by subject_key, rules_as_of, dimension
            order by rule_order, dimension_value
        ) as candidate_rank
    from candidates
),

-- What its own fields and accounts say of each subject: own_team, by own_team_evidence, which is of own_team_order.
told as (
    select
        subject_key,
        rules_as_of,
        {% for name in names %}
        max(case when dimension = '{{ name }}' then dimension_value end) as own_{{ name }},
        max(case when dimension = '{{ name }}' then evidence end) as own_{{ name }}_evidence,
        max(case when dimension = '{{ name }}' then rule_order end) as own_{{ name }}_order{{ ',' if not loop.last }}
        {% endfor %}
    from ranked
    where candidate_rank = 1
    group by subject_key, rules_as_of
),

told_keyed as (
    select
        *,
        {{ row_key(told_columns) }} as combination_key
    from told
),

combinations as (
    select distinct
        combination_key,
        cast(null as string) as consumer_team,
        {{ told_columns | join(',\n        ') }}
    from told_keyed

    union all

    select distinct
        concat('team:', shared.consumer_team) as combination_key,
        shared.consumer_team,
        periods.rules_as_of,
        {% for name in names %}
        {{ 'shared.consumer_team' if name == 'team' else 'cast(null as string)' }} as own_{{ name }},
        {{ "'share'" if name == 'team' else 'cast(null as string)' }} as own_{{ name }}_evidence,
        {{ "''" if name == 'team' else 'cast(null as string)' }} as own_{{ name }}_order{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('stg_shared_cost_rule') }} as shared
    cross join {{ ref('stg_rule_period') }} as periods
),

{% for name in names %}
{% set before = names[loop.index0 - 1] ~ '_decided' if loop.index0 else 'combinations' %}
{% set looked_at %}
case rules.field
                {% for earlier in names[:loop.index0] %}
                when '{{ earlier }}' then {{ before }}.{{ earlier }}
                {% endfor %}
            end
{%- endset %}
{{ name }}_candidates as (
    select
        {{ before }}.*,
        {% if loop.first %}
        own_{{ name }} as {{ name }},
        own_{{ name }}_evidence as {{ name }}_evidence,
        1 as {{ name }}_rank
    from {{ before }}
        {% else %}
        case
            when rules.rule_order < coalesce({{ before }}.own_{{ name }}_order, '9')
                then coalesce(rules.value, {{ registered_name("'" ~ name ~ "'", looked_at) }})
            else {{ before }}.own_{{ name }}
        end as {{ name }},
        case
            when rules.rule_order < coalesce({{ before }}.own_{{ name }}_order, '9') then rules.evidence
            else {{ before }}.own_{{ name }}_evidence
        end as {{ name }}_evidence,
        row_number() over (
            partition by {{ before }}.combination_key, {{ before }}.rules_as_of
            order by case when rules.rule_order is null then 2 else 1 end, rules.rule_order, rules.value
        ) as {{ name }}_rank
    from {{ before }}
    left join {{ ref('int_tag_rules_completed') }} as rules
        on
            rules.dimension = '{{ name }}'
            and {{ rule_is_valid('rules', before ~ '.rules_as_of') }}
            and {{ pattern_matches('rules', looked_at) }}
        {% endif %}
),

{{ name }}_decided as (
    select * from {{ name }}_candidates
    where {{ name }}_rank = 1
),

{% endfor %}
subjects as (
    select
        subject_key,
        rules_as_of,
        combination_key
    from told_keyed
    union all
    select
        combination_key as subject_key,
        rules_as_of,
        combination_key
    from combinations
    where consumer_team is not null
)

select
    subjects.subject_key,
    subjects.rules_as_of,
    decided.consumer_team,
    decided.model,
    decided.model_evidence,
    decided.environment,
    decided.environment_evidence,
    decided.project,
    decided.project_evidence,
    decided.application,
    decided.application_evidence,
    decided.use_case,
    decided.use_case_evidence,
    decided.product,
    decided.product_evidence,
    decided.team,
    decided.team_evidence,
    decided.cost_center,
    decided.cost_center_evidence,
    decided.business_unit,
    decided.business_unit_evidence
from subjects
inner join {{ names[-1] }}_decided as decided
    on subjects.combination_key = decided.combination_key and subjects.rules_as_of = decided.rules_as_of
