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
        cast(usage_start as date) as charge_date,
        vendor as service_provider_name,
        account_id as billing_account_id,
        project_id as sub_account_id,
        cast(null as string) as service_name,
        cast(null as string) as resource_id,
        cast(null as string) as resource_name,
        api_key_id as x_api_key_id,
        cast(null as string) as charge_description,
        model as x_model,
        cast(null as string) as tags
    from {{ ref('int_ai_usage_counted') }}
),

-- Rules read counted usage as they read charges.
used as (
    select
        {{ subject_key() }} as subject_key,
        usage.*
    from usage
),

subjects as (
    select
        subject_key,
        rules_as_of,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        service_name,
        resource_id,
        resource_name,
        x_api_key_id,
        charge_description,
        x_model,
        tags
    from {{ ref('int_charges_summed') }}
    union distinct
    select
        used.subject_key,
        periods.rules_as_of,
        used.service_provider_name,
        used.billing_account_id,
        used.sub_account_id,
        used.service_name,
        used.resource_id,
        used.resource_name,
        used.x_api_key_id,
        used.charge_description,
        used.x_model,
        used.tags
    from used
    inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('used.charge_date', 'periods') }}
    union distinct
    -- Days that are only estimated, by what was billed before, have rules of their own.
    select
        charges.subject_key,
        periods.rules_as_of,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.sub_account_id,
        charges.service_name,
        charges.resource_id,
        charges.resource_name,
        charges.x_api_key_id,
        charges.charge_description,
        charges.x_model,
        charges.tags
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

aliased_entries as (
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

field_names (field) as (
    select *
    from (
        values
        ('service_provider_name'),
        ('billing_account_id'),
        ('sub_account_id'),
        ('service_name'),
        ('resource_id'),
        ('resource_name'),
        ('api_key_id'),
        ('charge_description'),
        ('x_model')
    )
),

fields as (
    select
        subjects.subject_key,
        subjects.rules_as_of,
        field_names.field,
        '' as tag_key,
        case field_names.field
            when 'service_provider_name' then subjects.service_provider_name
            when 'billing_account_id' then subjects.billing_account_id
            when 'sub_account_id' then subjects.sub_account_id
            when 'service_name' then subjects.service_name
            when 'resource_id' then subjects.resource_id
            when 'resource_name' then subjects.resource_name
            when 'api_key_id' then subjects.x_api_key_id
            when 'charge_description' then subjects.charge_description
            when 'x_model' then subjects.x_model
        end as field_value
    from subjects
    cross join field_names
    union all
    select
        subjects.subject_key,
        subjects.rules_as_of,
        'tag' as field,
        aliased_entries.tag_key,
        aliased_entries.field_value
    from subjects
    inner join aliased_entries on subjects.tags = aliased_entries.tags
)

select * from fields
where field_value <> ''
