-- Requests per UTC day and everything that a tag rule can look at, so that the rules read usage as they read charges.
with daily as (
    select
        cast(counts.usage_start as date) as charge_date,
        {{ usage_subject_columns('counts') }},
        sum(counts.requests) as requests
    from {{ ref('int_ai_usage_counted') }} as counts
    group by
        cast(counts.usage_start as date), counts.vendor, counts.account_id, counts.project_id, counts.api_key_id,
        counts.model
)

select
    daily.*,
    periods.rules_as_of,
    {{ subject_key() }} as subject_key
from daily
inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('daily.charge_date', 'periods') }}
