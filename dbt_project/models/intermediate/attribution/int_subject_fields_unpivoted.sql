-- Everything a rule can look at, one row per field: rules are matched once per distinct subject, never per charge.
with subjects as (
    select
        subject_key,
        rules_as_of,
        {{ subject_columns() | join(',\n        ') }}
    from {{ ref('int_charges_summed') }}
    union distinct
    select
        subject_key,
        rules_as_of,
        {{ subject_columns() | join(',\n        ') }}
    from {{ ref('int_requests_summed') }}
),

tagged as (
    select distinct tags from subjects
    where tags is not null
),

tag_entries as (
    {{ json_entries('tagged', 'tags') }}
),

fields as (
    {% for column, field in {
        'billing_account_id': 'billing_account_id', 'sub_account_id': 'sub_account_id', 'service_name': 'service_name',
        'resource_id': 'resource_id', 'x_api_key_id': 'api_key_id', 'charge_description': 'charge_description',
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
        {{ tag_key('tag_entries.entry_key') }} as tag_key,
        tag_entries.entry_value as field_value
    from subjects
    inner join tag_entries on subjects.tags = tag_entries.tags
)

select * from fields
where field_value <> ''
