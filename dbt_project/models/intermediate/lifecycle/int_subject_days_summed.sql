-- What each use case cost on each day by lifecycle, and each resource or API key that has no use case or was both
-- experiment and production. Before any pool is split. `usage_cost` leaves purchases, taxes and credits out.
{% set kinds = {'use_case': 'use_case', 'resource': 'coalesce(resource_id, x_api_key_id)'} %}

with changing as (
    select coalesce(resource_id, x_api_key_id) as subject
    from {{ ref('int_charges_attributed') }}
    where lifecycle <> 'unknown' and coalesce(resource_id, x_api_key_id) is not null
    group by coalesce(resource_id, x_api_key_id)
    having min(lifecycle) <> max(lifecycle)
)

{% for kind, subject in kinds.items() %}
select
    charge_date,
    '{{ kind }}' as subject_kind,
    {{ subject }} as subject,
    service_provider_name,
    billing_account_id,
    use_case,
    team,
    lifecycle,
    lifecycle_evidence,
    billing_currency,
    sum(case when charge_category = 'Usage' then effective_cost else 0 end) as usage_cost,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost
from {{ ref('int_charges_attributed') }}
{% if kind == 'use_case' -%}
where use_case <> 'unallocated'
{% else -%}
where
    (use_case = 'unallocated' and coalesce(resource_id, x_api_key_id) is not null)
    or coalesce(resource_id, x_api_key_id) in (select changing.subject from changing)
{% endif -%}
group by
    charge_date, {{ subject }}, service_provider_name, billing_account_id, use_case, team, lifecycle,
    lifecycle_evidence, billing_currency
{{ 'union all' if not loop.last }}
{% endfor %}
