-- How many requests, sessions and transactions each use case served in each month, of those that have a bill to stand
-- beside. Where the vendor is on the bill but a day, model and use case are not, the bill is late or another's: such
-- requests have no cost and do not count. A transaction is the business unit that the use case's owners report. What
-- nobody counted has no row.
with counted as (
    select
        charge_date,
        use_case,
        service_provider_name,
        model,
        case when count(requests) = count(*) then sum(requests) end as requests,
        count(session_id) = count(*) as names_sessions
    from {{ ref('int_usage_attributed') }}
    group by charge_date, use_case, service_provider_name, model
),

billed as (
    select distinct
        charge_date,
        use_case,
        service_provider_name,
        model
    from {{ ref('int_component_costs_summed') }}
    where component = 'model'
),

billing_vendors as (
    select distinct service_provider_name
    from billed
),

with_their_bill as (
    select counted.*
    from counted
    left join billed
        on
            counted.charge_date = billed.charge_date
            and counted.use_case = billed.use_case
            and counted.service_provider_name = billed.service_provider_name
            and counted.model = billed.model
    left join billing_vendors on counted.service_provider_name = billing_vendors.service_provider_name
    where billed.model is not null or billing_vendors.service_provider_name is null
)

select
    {{ month_text('charge_date') }} as month,
    use_case,
    'request' as unit,
    cast(sum(requests) as double) as quantity
from with_their_bill
where requests is not null
group by {{ month_text('charge_date') }}, use_case

union all

select
    {{ month_text('usage.charge_date') }} as month,
    usage.use_case,
    'session' as unit,
    cast(count(distinct usage.session_id) as double) as quantity
from {{ ref('int_usage_attributed') }} as usage
inner join with_their_bill as requests
    on
        usage.charge_date = requests.charge_date
        and usage.use_case = requests.use_case
        and usage.service_provider_name = requests.service_provider_name
        and usage.model = requests.model
where requests.names_sessions
group by {{ month_text('usage.charge_date') }}, usage.use_case

union all

select
    month,
    use_case,
    'transaction' as unit,
    units as quantity
from {{ ref('int_outcomes_summed') }}
where units is not null
