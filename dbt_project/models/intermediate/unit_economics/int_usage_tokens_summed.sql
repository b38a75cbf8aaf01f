-- Tokens that vendors counted, one row per UTC day, project, model, tier and kind of token.
{% for kind in ['input_uncached', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'output'] %}
select
    cast(usage_start as date) as charge_date,
    vendor as service_provider_name,
    account_id as billing_account_id,
    project_id as sub_account_id,
    model as x_model,
    '{{ kind }}' as x_token_kind,
    service_tier as x_service_tier,
    cast(sum({{ kind }}_tokens) as decimal(38, 18)) as tokens
from {{ ref('int_ai_usage_counted') }}
where {{ kind }}_tokens is not null
group by cast(usage_start as date), vendor, account_id, project_id, model, service_tier
{{ 'union all' if not loop.last }}
{% endfor %}
