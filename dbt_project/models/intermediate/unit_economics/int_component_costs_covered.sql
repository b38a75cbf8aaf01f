-- Each month's parts of a use case, and how much of each stands beside counted requests or named sessions. Of the model
-- that is what was billed on days and for models whose requests are all counted. The other parts serve every request,
-- so they stand beside the counted ones only where those are all. Training and what is no part of serving never does.
with known as (
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
        requests.requests is not null as has_requests,
        coalesce(requests.names_sessions, false) as has_sessions
    from {{ ref('int_component_costs_summed') }} as costs
    left join {{ ref('int_use_case_requests_summed') }} as requests
        on
            costs.charge_date = requests.charge_date
            and costs.use_case = requests.use_case
            and costs.service_provider_name = requests.service_provider_name
            and costs.model = requests.model
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
)

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
        case when is_inference and (has_requests or (component <> 'model' and has_all_requests)) then effective_cost end
    ) as cost_of_requests,
    sum(
        case when is_inference and (has_sessions or (component <> 'model' and has_all_sessions)) then effective_cost end
    ) as cost_of_sessions
from whole
group by month, use_case, component, basis, is_inference, billing_currency
