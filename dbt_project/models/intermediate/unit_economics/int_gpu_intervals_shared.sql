-- Each row of GPU telemetry with the device hours it stands for and the machine of the bill that holds the device.
-- A device hour is one however the device is cut or shared: where the rows of a device and interval claim more than
-- all of it, each takes its part of it.
with weighed as (
    select
        *,
        {{ hours_between('usage_start', 'usage_end') }} as interval_hours,
        coalesce(device_fraction, 1) as fraction,
        cast(sum({{ as_amount('coalesce(device_fraction, 1)') }}) over (
            partition by coalesce(provider, ''), account_id, device_id, usage_start
        ) as double) as fractions
    from {{ ref('stg_gpu_utilization') }}
),

shared as (
    select
        *,
        {{ as_amount(
            'interval_hours * fraction / case when fractions > 1.000001 then fractions else 1 end'
        ) }} as device_hours
    from weighed
)

select
    shared.usage_start,
    cast(shared.usage_start as date) as charge_date,
    shared.provider,
    shared.account_id,
    coalesce(names.resource_id, shared.resource_id) as resource_id,
    shared.device_id,
    shared.gpu_model,
    shared.mig_instance_id,
    shared.team,
    shared.namespace,
    shared.pod,
    shared.purpose,
    shared.interval_hours,
    shared.utilization_ratio,
    shared.device_hours,
    {{ as_amount('cast(shared.device_hours as double) * shared.utilization_ratio') }} as used_hours
from shared
left join {{ ref('int_machine_names_listed') }} as names
    on shared.account_id = names.billing_account_id and shared.resource_id = names.machine_name
