-- Every name of a dimension, under each key that it is spelt by, with the one spelling that everything shows: the
-- plan's own, the register of owners first, else the one that most was spent under. What an alias of the plan means is
-- under the alias's key too. Staging asks this for every name that a table brings, so that afterwards names join by
-- equality.
{{ config(materialized='table') }}
{% set places = [
    (1, 'owner', 'subject_kind', 'subject', "subject_kind in ('team', 'product', 'use_case', 'model')"),
    (1, 'owner', "'cost_center'", 'cost_center', 'true'),
    (2, 'tag_rule', 'dimension', 'value', 'true'),
] %}
{% for dimension in account_dimensions() %}
{% do places.append((4, 'account', "'" ~ dimension ~ "'", dimension, 'true')) %}
{% endfor %}
{% do places.extend([
    (5, 'budget', "'team'", 'team', 'true'),
    (5, 'budget', "'product'", 'product', 'true'),
    (5, 'budget', "'use_case'", 'use_case', 'true'),
    (6, 'shared_cost_rule', "'team'", 'pool_team', 'true'),
    (6, 'shared_cost_rule', "'team'", 'pool_value', "coalesce(pool_field, 'team') = 'team'"),
    (6, 'shared_cost_rule', "'team'", 'consumer_team', 'true'),
    (7, 'experiment', "'use_case'", 'use_case', 'true'),
    (7, 'organisation_cost', "'team'", 'team', 'true'),
    (7, 'target', "'use_case'", 'use_case', 'true'),
    (7, 'assumption', "'use_case'", 'use_case', 'true'),
    (9, 'budget', "'service_name'", 'service_name', 'true'),
    (9, 'shared_cost_rule', "'service_name'", 'pool_value', "pool_field = 'service_name'"),
    (9, 'approved_service', "'service_name'", 'service_name', 'true'),
    (9, 'approved_service', "'service_provider_name'", 'service_provider_name', 'true'),
    (9, 'approved_service', "'model'", 'model', 'true'),
    (9, 'outcome', "'use_case'", identifier_key('use_case'), 'true'),
    (9, 'training_run', "'use_case'", identifier_key('use_case'), 'true'),
    (9, 'training_run', "'team'", identifier_key('team'), 'true'),
    (9, 'gpu_utilization', "'team'", identifier_key('team'), 'true'),
]) %}

with tag_keys as (
    select
        dimension,
        {{ tag_key('tag_key') }} as tag_key
    from ({{ built_in_rules() }}) as built_in
    where field = 'tag'
    union distinct
    select
        dimension,
        {{ tag_key('tag_key') }} as tag_key
    from {{ source('lake', 'tag_rule') }}
    where field = 'tag' and value is null
),

key_aliases as (
    select
        {{ name_key('alias') }} as alias_key,
        min({{ tag_key('tag_key') }}) as tag_key
    from {{ source('lake', 'tag_alias') }}
    where value is null
    group by {{ name_key('alias') }}
),

value_aliases as (
    select
        tag_keys.dimension,
        {{ name_key('aliases.alias') }} as alias_key,
        min(trim(aliases.value)) as name
    from {{ source('lake', 'tag_alias') }} as aliases
    left join key_aliases on {{ tag_key('aliases.tag_key') }} = key_aliases.alias_key
    inner join tag_keys on coalesce(key_aliases.tag_key, {{ tag_key('aliases.tag_key') }}) = tag_keys.tag_key
    where aliases.value is not null
    group by tag_keys.dimension, {{ name_key('aliases.alias') }}
),

charges as (
    select
        tags,
        x_model,
        service_provider_name,
        service_name,
        sum(effective_cost) as effective_cost
    from {{ ref('int_charges_by_day') }}
    group by tags, x_model, service_provider_name, service_name
),

tagged as (
    select
        tags,
        sum(effective_cost) as effective_cost
    from charges
    where tags is not null
    group by tags
),

tag_entries as (
    {{ json_entries('tagged', 'tags') }}
),

spelt as (
    {% for dimension, nothing in dimensions().items() %}
    select
        '{{ dimension }}' as dimension,
        '{{ nothing }}' as name,
        0 as place,
        'built in' as registered_in,
        cast(0 as decimal(38, 18)) as effective_cost
    union all
    {% endfor %}
    {% for place, dataset, dimension, name, condition in places %}
    select
        {{ dimension }} as dimension,
        trim({{ name }}) as name,
        {{ place }} as place,
        '{{ dataset }}' as registered_in,
        cast(0 as decimal(38, 18)) as effective_cost
    from {{ source('lake', dataset) }}
    where {{ condition }}
    union all
    {% endfor %}
    select
        dimension,
        name,
        3 as place,
        'tag_alias' as registered_in,
        cast(0 as decimal(38, 18)) as effective_cost
    from value_aliases
    {% for dimension, name in {
        'model': identifier_key('x_model'), 'service_provider_name': 'service_provider_name',
        'service_name': 'service_name',
    }.items() %}
    union all
    select
        '{{ dimension }}' as dimension,
        {{ name }} as name,
        8 as place,
        'cost_and_usage' as registered_in,
        effective_cost
    from charges
    {% endfor %}
    union all
    select
        tag_keys.dimension,
        {{ identifier_key('tag_entries.entry_value') }} as name,
        8 as place,
        'cost_and_usage' as registered_in,
        tagged.effective_cost
    from tag_entries
    inner join tagged on tag_entries.tags = tagged.tags
    left join key_aliases on {{ tag_key('tag_entries.entry_key') }} = key_aliases.alias_key
    inner join tag_keys on coalesce(key_aliases.tag_key, {{ tag_key('tag_entries.entry_key') }}) = tag_keys.tag_key
),

spellings as (
    select
        dimension,
        {{ name_key('name') }} as name_key,
        name,
        place,
        registered_in,
        sum(effective_cost) as effective_cost
    from spelt
    where {{ name_key('name') }} <> ''
    group by dimension, {{ name_key('name') }}, name, place, registered_in
),

ranked as (
    select
        *,
        row_number() over (
            partition by dimension, name_key
            order by place asc, effective_cost desc, name asc
        ) as spelling_rank
    from spellings
),

shown as (
    select
        dimension,
        name_key,
        name,
        registered_in
    from ranked
    where spelling_rank = 1
),

-- An alias of an alias means what that one means.
meant as (
    select
        value_aliases.dimension,
        value_aliases.alias_key,
        {{ name_key('coalesce(further.name, value_aliases.name)') }} as meant_key
    from value_aliases
    left join value_aliases as further
        on value_aliases.dimension = further.dimension and {{ name_key('value_aliases.name') }} = further.alias_key
)

select
    dimension,
    name_key,
    name,
    registered_in
from (
    select
        shown.dimension,
        shown.name_key,
        shown.name,
        shown.registered_in
    from shown
    left join meant on shown.dimension = meant.dimension and shown.name_key = meant.alias_key -- noqa: ST09
    where meant.alias_key is null
    union all
    select
        meant.dimension,
        meant.alias_key as name_key,
        shown.name,
        'tag_alias' as registered_in
    from meant
    inner join shown on meant.dimension = shown.dimension and meant.meant_key = shown.name_key
) as names
