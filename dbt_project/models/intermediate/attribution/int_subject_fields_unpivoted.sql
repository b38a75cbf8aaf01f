-- Everything a rule can look at, one row per field: rules are matched once per distinct subject, never per charge.
-- Tags stand under the key and with the value that the plan's aliases mean; where a key and an alias of it are both
-- there, the key counts.
with newest as (
    select max(charge_date) as charge_date
    from {{ ref('int_charges_summed') }}
    where charge_category = 'Usage' and not is_spread
),

usage as (
    select distinct
        cast(counts.usage_start as date) as charge_date,
        {{ usage_subject_columns('counts') }}
    from {{ ref('int_ai_usage_counted') }} as counts
),

subjects as (
    select
        subject_key,
        rules_as_of,
        {{ subject_columns() | join(',\n        ') }}
    from {{ ref('int_charges_summed') }}
    union distinct
    -- Rules read counted usage as they read charges.
    select
        {{ subject_key() }} as subject_key,
        periods.rules_as_of,
        {{ subject_columns() | join(',\n        ') }}
    from usage
    inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('usage.charge_date', 'periods') }}
    union distinct
    -- Days that are only estimated, by what was billed before, have rules of their own.
    select
        charges.subject_key,
        periods.rules_as_of,
        {{ 'charges.' ~ subject_columns() | join(',\n        charges.') }}
    from {{ ref('int_charges_summed') }} as charges
    inner join newest on charges.charge_date >= {{ dbt.dateadd('day', -92, 'newest.charge_date') }}
    inner join {{ ref('stg_rule_period') }} as periods
        on
            newest.charge_date >= periods.rules_as_of
            and (periods.valid_to is null or charges.charge_date < periods.valid_to)
),

tagged as (
    select distinct tags from subjects
    where tags is not null
),

tag_entries as (
    {{ json_entries('tagged', 'tags') }}
),

key_aliases as (
    select
        {{ name_key('alias') }} as alias_key,
        min({{ tag_key('tag_key') }}) as tag_key
    from {{ ref('stg_tag_alias') }}
    where value is null
    group by {{ name_key('alias') }}
),

spellings as (
    select
        {{ tag_key('tag_key') }} as tag_key,
        {{ name_key('alias') }} as spelling,
        value
    from {{ ref('stg_tag_alias') }}
    where value is not null
    union distinct
    select
        {{ tag_key('tag_key') }} as tag_key,
        {{ name_key('value') }} as spelling,
        value
    from {{ ref('stg_tag_alias') }}
    where value is not null
),

value_aliases as (
    select
        tag_key,
        spelling,
        min(value) as value
    from spellings
    group by tag_key, spelling
),

keyed_entries as (
    select
        tag_entries.tags,
        coalesce(key_aliases.tag_key, {{ tag_key('tag_entries.entry_key') }}) as tag_key,
        tag_entries.entry_value,
        case when key_aliases.tag_key is null then 1 else 2 end as key_rank
    from tag_entries
    left join key_aliases on {{ tag_key('tag_entries.entry_key') }} = key_aliases.alias_key
    where {{ name_key('tag_entries.entry_value') }} <> ''
),

ranked_entries as (
    select
        *,
        min(key_rank) over (partition by tags, tag_key) as best_key_rank
    from keyed_entries
),

mended_entries as (
    select distinct
        ranked_entries.tags,
        ranked_entries.tag_key,
        coalesce(value_aliases.value, ranked_entries.entry_value) as field_value
    from ranked_entries
    left join value_aliases
        on
            ranked_entries.tag_key = value_aliases.tag_key
            and {{ name_key('ranked_entries.entry_value') }} = value_aliases.spelling
    where ranked_entries.key_rank = ranked_entries.best_key_rank
),

fields as (
    {% for column, field in {
        'service_provider_name': 'service_provider_name', 'billing_account_id': 'billing_account_id',
        'sub_account_id': 'sub_account_id', 'service_name': 'service_name', 'resource_id': 'resource_id',
        'resource_name': 'resource_name', 'x_api_key_id': 'api_key_id', 'charge_description': 'charge_description',
        'x_model': 'x_model',
    }.items() %}
    select
        subject_key,
        rules_as_of,
        '{{ field }}' as field,
        '' as tag_key,
        {{ column }} as field_value
    from subjects
    union all
    {% endfor %}
    select
        subjects.subject_key,
        subjects.rules_as_of,
        'tag' as field,
        mended_entries.tag_key,
        mended_entries.field_value
    from subjects
    inner join mended_entries on subjects.tags = mended_entries.tags
)

select * from fields
where field_value <> ''
