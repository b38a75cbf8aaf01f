-- What serving each use case costs in a month, part by part, and per request, session and transaction. Every charge is
-- in exactly one row, before any pool is split; training and what is no part of serving stay visible beside it.
-- A cost per unit is that of the part which stands beside counted units; how much that is of the whole is its coverage.
select
    costs.month,
    costs.use_case,
    costs.component,
    costs.basis,
    costs.is_inference,
    costs.billing_currency,
    costs.billed_cost,
    costs.effective_cost,
    costs.charge_count,
    costs.cost_of_requests,
    requests.quantity as requests,
    {{ ratio('coalesce(costs.cost_of_requests, 0)', 'costs.effective_cost') }} as request_coverage,
    {{ ratio('costs.cost_of_requests', 'requests.quantity') }} as cost_per_request,
    costs.cost_of_sessions,
    sessions.quantity as sessions,
    {{ ratio('coalesce(costs.cost_of_sessions, 0)', 'costs.effective_cost') }} as session_coverage,
    {{ ratio('costs.cost_of_sessions', 'sessions.quantity') }} as cost_per_session,
    transactions.quantity as transactions,
    case
        when costs.is_inference then {{ ratio('costs.effective_cost', 'transactions.quantity') }}
    end as cost_per_transaction
from {{ ref('int_component_costs_covered') }} as costs
{% for unit in ['request', 'session', 'transaction'] %}
left join {{ ref('int_use_case_units_counted') }} as {{ unit }}s
    on costs.month = {{ unit }}s.month and costs.use_case = {{ unit }}s.use_case and {{ unit }}s.unit = '{{ unit }}'
{% endfor %}
