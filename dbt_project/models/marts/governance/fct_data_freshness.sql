-- What the lake holds and from when to when. For cost_and_usage the days are those of Usage charges: purchases and
-- taxes may be dated ahead of the data. The plan has no days.
{% set days = {
    'cost_and_usage': "case when charge_category = 'Usage' then cast(charge_period_start as date) end",
    'ai_usage': 'cast(usage_start as date)',
    'gpu_utilization': 'cast(usage_start as date)',
    'training_run': 'cast(started_at as date)',
    'function_run': 'cast(usage_start as date)',
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

{% for dataset, day in days.items() %}
select
    '{{ dataset }}' as dataset,
    x_adapter as source,
    min({{ day }}) as first_date,
    max({{ day }}) as last_date,
    count(*) as row_count
from {{ ref('stg_' ~ dataset) }}
group by x_adapter
{{ 'union all' if not loop.last }}
{% endfor %}
