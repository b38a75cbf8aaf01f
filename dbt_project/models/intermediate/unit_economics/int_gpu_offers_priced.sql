-- What an hour of each class of GPU cost in a month at each provider, region and terms. A machine without telemetry has
-- the class of other machines of its instance type; where there are none, its instance type stands for the class.
with types as (
    select
        instance_type,
        min(gpu_model) as gpu_model
    from {{ ref('int_gpu_charges_found') }}
    where instance_type is not null and gpu_model is not null
    group by instance_type
),

classed as (
    select
        charges.*,
        max(coalesce(charges.gpu_model, types.gpu_model, charges.instance_type)) over (
            partition by charges.billing_account_id, charges.resource_id
        ) as gpu_class
    from {{ ref('int_gpu_charges_found') }} as charges
    left join types on charges.instance_type = types.instance_type
)

select
    {{ month_text('charge_date') }} as month,
    gpu_class,
    service_provider_name,
    region_id,
    terms,
    billing_currency,
    sum(gpu_hours) as gpu_hours,
    sum(effective_cost) as effective_cost,
    case when count(list_cost) = count(*) then sum(list_cost) end as list_cost
from classed
where gpu_class is not null
group by {{ month_text('charge_date') }}, gpu_class, service_provider_name, region_id, terms, billing_currency
having sum(gpu_hours) > 0
