-- What one request, session or transaction of each use case costs in a month, on what was billed and on list price, and
-- whether that is within the plan's threshold. Counted cost was metered by use, capacity cost was paid by the hour
-- whether used or not. The cost per unit is of the cost that stands beside counted units; coverage says how much of all
-- it is.
with units (unit, metric) as (
    select *
    from (
        values
        ('request', 'cost_per_request'),
        ('session', 'cost_per_session'),
        ('transaction', 'cost_per_transaction')
    )
),

costs as (
    select
        month,
        use_case,
        billing_currency as currency,
        sum(case when basis = 'counted' then effective_cost end) as counted_cost,
        sum(case when basis = 'capacity' then effective_cost end) as capacity_cost,
        sum(effective_cost) as effective_cost,
        sum(cost_of_requests) as cost_of_requests,
        sum(cost_of_sessions) as cost_of_sessions
    from {{ ref('fct_inference_component_cost') }}
    where is_inference
    group by month, use_case, billing_currency
),

-- Requests at list price, as far as they have one, and of those logged one by one the median and the cost that one
-- request in twenty exceeds.
estimates as (
    select
        {{ month_text('charge_date') }} as month,
        use_case,
        estimated_cost_currency as currency,
        sum(estimated_cost) as estimated_cost,
        cast(sum(requests) as bigint) as priced_requests,
        sum(case when requests is not null then estimated_cost end) as cost_of_priced_requests,
        count(request_id) as logged_requests,
        percentile_cont(0.5) within group (
            order by case when request_id is not null then cast(estimated_cost as double) end
        ) as request_cost_p50,
        percentile_cont(0.95) within group (
            order by case when request_id is not null then cast(estimated_cost as double) end
        ) as request_cost_p95
    from {{ ref('int_usage_attributed') }}
    where estimated_cost is not null
    group by {{ month_text('charge_date') }}, use_case, estimated_cost_currency
),

monthly as (
    select
        coalesce(costs.month, estimates.month) as month,
        coalesce(costs.use_case, estimates.use_case) as use_case,
        coalesce(costs.currency, estimates.currency) as currency,
        costs.counted_cost,
        costs.capacity_cost,
        costs.effective_cost,
        costs.cost_of_requests,
        costs.cost_of_sessions,
        estimates.estimated_cost,
        estimates.cost_of_priced_requests,
        estimates.priced_requests,
        estimates.logged_requests,
        estimates.request_cost_p50,
        estimates.request_cost_p95
    from costs
    full outer join estimates
        on
            costs.month = estimates.month
            and costs.use_case = estimates.use_case
            and costs.currency = estimates.currency
),

costed as (
    select
        monthly.month,
        monthly.use_case,
        units.unit,
        units.metric,
        monthly.currency as billing_currency,
        counts.quantity,
        monthly.counted_cost,
        monthly.capacity_cost,
        monthly.effective_cost,
        case units.unit
            when 'request' then monthly.cost_of_requests
            when 'session' then monthly.cost_of_sessions
            else monthly.effective_cost
        end as covered_cost,
        monthly.estimated_cost,
        case
            when units.unit = 'request' then {{ ratio('monthly.cost_of_priced_requests', 'monthly.priced_requests') }}
        end as estimated_cost_per_unit,
        case when units.unit = 'request' then cast(monthly.logged_requests as bigint) end as logged_requests,
        case when units.unit = 'request' then monthly.request_cost_p50 end as request_cost_p50,
        case when units.unit = 'request' then monthly.request_cost_p95 end as request_cost_p95
    from monthly
    cross join units
    left join {{ ref('int_use_case_units_counted') }} as counts
        on monthly.month = counts.month and monthly.use_case = counts.use_case and units.unit = counts.unit
),

priced as (
    select
        *,
        case
            when quantity is not null then {{ ratio('covered_cost', 'quantity') }}
        end as cost_per_unit
    from costed
)

select
    priced.month,
    priced.use_case,
    priced.unit,
    priced.billing_currency,
    priced.quantity,
    priced.counted_cost,
    priced.capacity_cost,
    priced.effective_cost,
    case when priced.quantity is not null then priced.covered_cost end as covered_cost,
    case
        when priced.quantity is not null then {{ ratio('coalesce(priced.covered_cost, 0)', 'priced.effective_cost') }}
    end as coverage,
    priced.cost_per_unit,
    case
        when priced.cost_per_unit is not null then cast(null as string)
        when priced.effective_cost is null then 'no charge in this currency'
        when priced.quantity is null then concat('no ', priced.unit, ' counted')
        when priced.quantity = 0 then concat('no ', priced.unit, ' in the month')
        else concat('no charge stands beside the counted ', priced.unit, 's')
    end as reason,
    priced.estimated_cost,
    priced.estimated_cost_per_unit,
    priced.logged_requests,
    priced.request_cost_p50,
    priced.request_cost_p95,
    thresholds.value as threshold,
    {{ threshold_status('priced.cost_per_unit', 'thresholds.value') }} as status
from priced
left join {{ ref('int_plan_values_chosen') }} as thresholds
    on
        priced.month = thresholds.month
        and priced.use_case = thresholds.use_case
        and priced.metric = thresholds.name
        and priced.billing_currency = thresholds.currency
