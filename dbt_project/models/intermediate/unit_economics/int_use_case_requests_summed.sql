-- Requests of each use case per day, vendor and model, and whether all of them are counted and named by session. Where
-- the vendor is on the bill but this day, model and use case are not, the bill is late or another's: such requests have
-- no cost to stand beside and are marked.
with counted as (
    select
        charge_date,
        use_case,
        service_provider_name,
        model,
        case when count(requests) = count(*) then cast(sum(requests) as bigint) end as requests,
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
)

select
    counted.charge_date,
    counted.use_case,
    counted.service_provider_name,
    counted.model,
    counted.requests,
    counted.names_sessions,
    billed.model is not null or billing_vendors.service_provider_name is null as has_its_bill
from counted
left join billed
    on
        counted.charge_date = billed.charge_date
        and counted.use_case = billed.use_case
        and counted.service_provider_name = billed.service_provider_name
        and counted.model = billed.model
left join billing_vendors on counted.service_provider_name = billing_vendors.service_provider_name
