-- What serving each use case costs in a month, part by part, and per request, session and transaction. Every charge is
-- in exactly one row, before any pool is split; training and what is no part of serving stay visible beside it.
-- A cost per unit is that of the part which stands beside counted units; how much that is of the whole is its coverage.
-- Of the model that is what was billed on days and for models whose requests are all counted, or all name their
-- session. The other parts serve every request, so they stand beside the counted ones only where those are all.
-- Training and what is no part of serving never does.
with counted as (
    select
        charge_date,
        use_case,
        service_provider_name,
        model,
        count(requests) = count(*) as has_requests,
        count(session_id) = count(*) as has_sessions
    from {{ ref('int_usage_attributed') }}
    group by charge_date, use_case, service_provider_name, model
),

known as (
    select
        {{ month_text('costs.charge_date') }} as month,
        costs.use_case,
        costs.component,
        costs.basis,
        costs.billing_currency,
        costs.billed_cost,
        costs.effective_cost,
        costs.charge_count,
        costs.component not in ('training', 'other') as is_inference,
        coalesce(counted.has_requests, false) as has_requests,
        coalesce(counted.has_sessions, false) as has_sessions
    from {{ ref('int_component_costs_summed') }} as costs
    left join counted
        on
            costs.charge_date = counted.charge_date
            and costs.use_case = counted.use_case
            and costs.service_provider_name = counted.service_provider_name
            and costs.model = counted.model
),

whole as (
    select
        *,
        max(case when component = 'model' and effective_cost <> 0 and not has_requests then 1 else 0 end) over (
            partition by month, use_case
        ) = 0 as has_all_requests,
        max(case when component = 'model' and effective_cost <> 0 and not has_sessions then 1 else 0 end) over (
            partition by month, use_case
        ) = 0 as has_all_sessions
    from known
),

costs as (
    select
        month,
        use_case,
        component,
        basis,
        is_inference,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        cast(sum(charge_count) as bigint) as charge_count,
        sum(
            case
                when is_inference and (has_requests or (component <> 'model' and has_all_requests)) then effective_cost
            end
        ) as cost_of_requests,
        sum(
            case
                when is_inference and (has_sessions or (component <> 'model' and has_all_sessions)) then effective_cost
            end
        ) as cost_of_sessions
    from whole
    group by month, use_case, component, basis, is_inference, billing_currency
)

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
from costs
left join {{ ref('int_use_case_units_counted') }} as requests
    on costs.month = requests.month and costs.use_case = requests.use_case and requests.unit = 'request'
left join {{ ref('int_use_case_units_counted') }} as sessions
    on costs.month = sessions.month and costs.use_case = sessions.use_case and sessions.unit = 'session'
left join {{ ref('int_use_case_units_counted') }} as transactions
    on costs.month = transactions.month and costs.use_case = transactions.use_case and transactions.unit = 'transaction'
