-- How many requests, sessions and transactions each use case served in each month, of those that have a bill to stand
-- beside. A transaction is the business unit that the use case's owners report. What nobody counted has no row.
select
    {{ month_text('charge_date') }} as month,
    use_case,
    'request' as unit,
    cast(sum(requests) as double) as quantity
from {{ ref('int_use_case_requests_summed') }}
where requests is not null and has_its_bill
group by {{ month_text('charge_date') }}, use_case

union all

select
    {{ month_text('usage.charge_date') }} as month,
    usage.use_case,
    'session' as unit,
    cast(count(distinct usage.session_id) as double) as quantity
from {{ ref('int_usage_attributed') }} as usage
inner join {{ ref('int_use_case_requests_summed') }} as requests
    on
        usage.charge_date = requests.charge_date
        and usage.use_case = requests.use_case
        and usage.service_provider_name = requests.service_provider_name
        and usage.model = requests.model
where requests.names_sessions and requests.has_its_bill
group by {{ month_text('usage.charge_date') }}, usage.use_case

union all

select
    month,
    use_case,
    'transaction' as unit,
    units as quantity
from {{ ref('int_outcomes_summed') }}
where units is not null
