-- Charges of machines by time, per UTC day: hours of an instance type or of a GPU, and what else the same machine is
-- billed for by time (its cores and memory where the provider bills a machine by its parts).
-- `machine_hours` counts only what names an instance type or a GPU, so that parts of one machine are not more machines.
with priced as (
    select
        *,
        {{ json_text('sku_price_details', 'InstanceType') }} as instance_type,
        {{ json_text('sku_price_details', 'x_GpuModel') }} as gpu_model,
        cast({{ json_text('sku_price_details', 'GpuCount') }} as double) as gpus,
        coalesce(commitment_discount_status = 'Unused' or capacity_reservation_status = 'Unused', false) as is_unused,
        case
            when commitment_discount_status = 'Unused' then commitment_discount_quantity
            else consumed_quantity
        end as quantity,
        case
            when commitment_discount_status = 'Unused' then commitment_discount_unit
            else consumed_unit
        end as unit
    from {{ ref('int_charges_by_day') }}
    where charge_category = 'Usage' and service_category in ('Compute', 'AI and Machine Learning')
),

timed as (
    select
        *,
        case
            when instance_type is null and gpus is null then null
            when unit = 'Hours' then cast(quantity as double)
            when unit = 'Minutes' then cast(quantity as double) / 60
            when unit = 'Seconds' then cast(quantity as double) / 3600
        end as machine_hours
    from priced
    where
        unit in (
            'Hours', 'Minutes', 'Seconds', 'vCPU-Hours', 'vCPU-Seconds', 'GB-Hours', 'GiB-Hours', 'GiB-Seconds',
            'Byte-Seconds'
        )
        and resource_id is not null
),

daily as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        resource_id,
        resource_name,
        instance_type,
        gpu_model,
        gpus,
        is_unused,
        billing_currency,
        {{ subject_key() }} as subject_key,
        sum({{ as_amount('machine_hours') }}) as machine_hours,
        sum(effective_cost) as effective_cost,
        sum(list_cost) as list_cost
    from timed
    group by
        charge_date, service_provider_name, billing_account_id, sub_account_id, resource_id, resource_name,
        instance_type, gpu_model, gpus, is_unused, billing_currency, {{ subject_key() }}
)

select
    daily.*,
    coalesce(attributed.team, 'unallocated') as team
from daily
inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('daily.charge_date', 'periods') }}
left join {{ ref('int_subjects_attributed') }} as attributed
    on daily.subject_key = attributed.subject_key and periods.rules_as_of = attributed.rules_as_of
