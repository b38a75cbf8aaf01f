-- What each use case's requests cost at list price, as far as they have one, and of those logged one by one the median
-- and the cost that one request in twenty exceeds.
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
