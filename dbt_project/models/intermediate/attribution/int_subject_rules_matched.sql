-- What the charge's own fields say of each dimension of each subject: of all rules that match, the first decides. Where
-- none does, the account does, the sub account before the billing account, each as the plan's tree of accounts says,
-- which is followed eight levels up. Rules that look at other dimensions come
-- after this; subjects that are told the same share a combination, so that those rules are matched once for all.
{% set levels = 8 %}
{% set columns = ['rules_as_of'] %}
{% for dimension in dimensions() %}
{% do columns.extend([dimension, dimension ~ '_evidence', dimension ~ '_order']) %}
{% endfor %}

with accounts as (
    select
        *,
        {{ name_key('provider') }} as plain_provider,
        {{ identifier_key('account_id') }} as plain_account_id,
        {{ identifier_key('parent_account_id') }} as plain_parent_id,
        count(*) over (partition by {{ identifier_key('account_id') }}) = 1 as is_only_one
    from {{ ref('stg_account') }}
),

chains as (
    select
        level_0.plain_provider,
        level_0.plain_account_id,
        level_0.is_only_one,
        level_0.plain_account_id as ancestor_0{% for level in range(1, levels + 1) %},
        level_{{ level }}.plain_account_id as ancestor_{{ level }}{% endfor %}

    from accounts as level_0
    {% for level in range(1, levels + 1) %}
    left join accounts as level_{{ level }}
        on
            level_{{ level - 1 }}.plain_parent_id = level_{{ level }}.plain_account_id
            and level_0.plain_provider = level_{{ level }}.plain_provider
    {% endfor %}
),

depths (depth) as (
    select *
    from (
        values
        {% for level in range(levels + 1) %}
        ({{ level }}){{ ',' if not loop.last }}
        {% endfor %}
    )
),

dimensions (dimension) as (
    select *
    from (
        values
        {% for dimension in account_dimensions() %}
        ('{{ dimension }}'){{ ',' if not loop.last }}
        {% endfor %}
    )
),

ancestors as (
    select
        chains.plain_provider,
        chains.plain_account_id,
        chains.is_only_one,
        depths.depth,
        case depths.depth
            {% for level in range(levels + 1) %}
            when {{ level }} then chains.ancestor_{{ level }}
            {% endfor %}
        end as ancestor_id
    from chains
    cross join depths
),

given as (
    select
        ancestors.plain_provider,
        ancestors.plain_account_id,
        ancestors.is_only_one,
        ancestors.depth,
        accounts.account_id as ancestor_id,
        dimensions.dimension,
        case dimensions.dimension
            {% for dimension in account_dimensions() %}
            when '{{ dimension }}' then accounts.{{ dimension }}
            {% endfor %}
        end as dimension_value
    from ancestors
    inner join accounts
        on
            ancestors.plain_provider = accounts.plain_provider
            and ancestors.ancestor_id = accounts.plain_account_id
    cross join dimensions
),

by_nearness as (
    select
        *,
        row_number() over (
            partition by plain_provider, plain_account_id, dimension
            order by depth
        ) as nearness
    from given
    where dimension_value is not null
),

-- What each account gives to the charges below it: its own value, else that of the nearest account above it.
account_values as (
    select
        plain_provider as provider,
        plain_account_id as account_id,
        is_only_one,
        dimension,
        dimension_value,
        concat('account:', ancestor_id) as evidence
    from by_nearness
    where nearness = 1
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
