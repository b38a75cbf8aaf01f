-- What the bill says about serverless functions, per function, calendar month and currency: all of serverless compute,
-- and whatever else names a function that telemetry knows. Charges that name no function stand together.
with known as (
    select distinct resource_id
    from {{ ref('stg_function_run') }}
    where resource_id is not null
),

charges as (
    select
        {{ month_text('charges.charge_date') }} as month,
        charges.charge_date,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.service_name,
        charges.resource_id,
        charges.billing_currency,
        charges.billed_cost,
        charges.effective_cost,
        case
            when charges.consumed_unit in ('GB-Seconds', 'GiB-Seconds') then charges.consumed_quantity
        end as gb_seconds,
        case when charges.consumed_unit = 'Requests' then charges.consumed_quantity end as requests,
        case
            when charges.consumed_unit in ('GB-Seconds', 'GiB-Seconds') then charges.effective_cost
        end as gb_seconds_cost,
        case when charges.consumed_unit = 'Requests' then charges.effective_cost end as requests_cost
    from {{ ref('int_charges_by_day') }} as charges
    left join known on charges.resource_id = known.resource_id
    where charges.service_subcategory = 'Serverless Compute' or known.resource_id is not null
)

select
    month,
    service_provider_name,
    billing_account_id,
    resource_id,
    {{ function_name('resource_id') }} as function_name,
    billing_currency,
    max(service_name) as service_name,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    cast(sum(gb_seconds) as decimal(38, 18)) as gb_seconds,
    cast(sum(requests) as decimal(38, 18)) as requests,
    sum(gb_seconds_cost) as gb_seconds_cost,
    sum(requests_cost) as requests_cost
from charges
group by
    month, service_provider_name, billing_account_id, resource_id, {{ function_name('resource_id') }}, billing_currency
