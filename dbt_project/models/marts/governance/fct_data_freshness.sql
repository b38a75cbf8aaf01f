-- What the lake holds, from when to when, and whether what should come every day still does: costs and usage by source,
-- provider and billing account, everything else by source. For cost_and_usage the days are those of Usage charges of
-- at most a day: purchases, taxes and longer charges may be dated ahead of the data. The plan has no days.
{% set days = {
    'training_run': 'cast(started_at as date)',
    'outcome': 'period_start',
    'forecast': 'data_through',
    'forecast_accuracy': 'data_through',
    'budget': 'cast(null as date)',
    'tag_rule': 'cast(null as date)',
    'shared_cost_rule': 'cast(null as date)',
    'tag_alias': 'cast(null as date)',
    'account': 'cast(null as date)',
    'lifecycle_rule': 'cast(null as date)',
    'owner': 'cast(null as date)',
    'approved_service': 'cast(null as date)',
    'invoice': 'cast(null as date)',
    'closed_month': 'cast(null as date)',
    'assumption': 'cast(null as date)',
    'organisation_cost': 'cast(null as date)',
    'experiment': 'cast(null as date)',
    'threshold': 'cast(null as date)',
} %}

select
    dataset,
    source_name as source,
    service_provider_name,
    billing_account_id,
    first_date,
    last_date,
    row_count,
    days_behind,
    usual_gap_days,
    allowed_days,
    status
from {{ ref('int_sources_dated') }}
{% for dataset, day in days.items() %}
union all
select
    '{{ dataset }}' as dataset,
    x_adapter as source,
    cast(null as string) as service_provider_name,
    cast(null as string) as billing_account_id,
    min({{ day }}) as first_date,
    max({{ day }}) as last_date,
    count(*) as row_count,
    cast(null as bigint) as days_behind,
    cast(null as bigint) as usual_gap_days,
    cast(null as bigint) as allowed_days,
    cast(null as string) as status
from {{ ref('stg_' ~ dataset) }}
group by x_adapter
{% endfor %}
