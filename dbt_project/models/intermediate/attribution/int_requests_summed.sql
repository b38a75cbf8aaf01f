-- Requests per UTC day and everything that a tag rule can look at, so that the rules read usage as they read charges.
with daily as (
    select
        cast(usage_start as date) as charge_date,
        vendor as service_provider_name,
        account_id as billing_account_id,
        project_id as sub_account_id,
        cast(null as string) as service_name,
        cast(null as string) as resource_id,
        cast(null as string) as resource_name,
        api_key_id as x_api_key_id,
        cast(null as string) as charge_description,
        cast(null as string) as tags,
        model as x_model,
        sum(requests) as requests
    from {{ ref('int_ai_usage_counted') }}
    group by cast(usage_start as date), vendor, account_id, project_id, api_key_id, model
)

select
    daily.*,
    rules_by_day.rules_as_of,
    {{ subject_key() }} as subject_key
from daily
inner join {{ ref('int_rules_by_day') }} as rules_by_day on daily.charge_date = rules_by_day.charge_date
