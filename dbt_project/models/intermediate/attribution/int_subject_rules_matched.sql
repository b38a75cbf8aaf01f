-- What the charge's own fields say of each dimension of each subject: of all rules that match, the first decides. Where
-- none does, the account does, the sub account before the billing account. Rules that look at other dimensions come
-- after this; subjects that are told the same share a combination, so that those rules are matched once for all.
{% set columns = ['rules_as_of'] %}
{% for dimension in dimensions() %}
{% do columns.extend([dimension, dimension ~ '_evidence', dimension ~ '_order']) %}
{% endfor %}

with candidates as (
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
    inner join {{ ref('int_accounts_resolved') }} as accounts
        on {{ identifier_key('fields.field_value') }} = accounts.account_id
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

decided as (
    select
        subject_key,
        rules_as_of{% for dimension in dimensions() %},
        max(case when dimension = '{{ dimension }}' then dimension_value end) as {{ dimension }},
        max(case when dimension = '{{ dimension }}' then evidence end) as {{ dimension }}_evidence,
        max(case when dimension = '{{ dimension }}' then rule_order end) as {{ dimension }}_order{% endfor %}

    from ranked
    where candidate_rank = 1
    group by subject_key, rules_as_of
)

select
    *,
    {{ row_key(columns) }} as combination_key
from decided
