-- Charges of GPU machines: hours of a GPU or of an instance type with GPUs, and whatever else the same resource is
-- billed for by use (its cores and memory, where a provider bills a machine by its parts). GPU hours are machine hours
-- times the GPUs that the bill names, else the devices that telemetry counted; null on parts that are no GPU.
with priced as (
    select
        charges.charge_date,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.resource_id,
        coalesce(charges.region_id, 'unknown') as region_id,
        case
            when charges.commitment_discount_status = 'Used' then 'committed'
            when charges.pricing_category = 'Dynamic' then 'spot'
            else 'on demand'
        end as terms,
        charges.billing_currency,
        charges.effective_cost,
        charges.list_cost,
        regexp_replace({{ json_text('charges.sku_price_details', 'InstanceType') }}, '^ml[.]', '') as instance_type,
        {{ json_text('charges.sku_price_details', 'x_GpuModel') }} as billed_gpu_model,
        cast({{ json_text('charges.sku_price_details', 'GpuCount') }} as double) as billed_gpus,
        devices.gpu_model as measured_gpu_model,
        devices.devices,
        case charges.consumed_unit
            when 'Hours' then cast(charges.consumed_quantity as double)
            when 'Minutes' then cast(charges.consumed_quantity as double) / 60
            when 'Seconds' then cast(charges.consumed_quantity as double) / 3600
        end as hours
    from {{ ref('int_charges_by_day') }} as charges
    inner join {{ ref('int_compute_resources_found') }} as resources
        on charges.billing_account_id = resources.billing_account_id and charges.resource_id = resources.resource_id
    left join {{ ref('int_gpu_devices_found') }} as devices
        on charges.billing_account_id = devices.billing_account_id and charges.resource_id = devices.resource_id
    where charges.charge_category = 'Usage' and coalesce(charges.commitment_discount_status, 'Used') = 'Used'
)

select
    charge_date,
    service_provider_name,
    billing_account_id,
    resource_id,
    region_id,
    terms,
    billing_currency,
    effective_cost,
    list_cost,
    instance_type,
    coalesce(measured_gpu_model, billed_gpu_model) as gpu_model,
    case
        when billed_gpus is not null then hours * billed_gpus
        when instance_type is not null then hours * devices
    end as gpu_hours
from priced
