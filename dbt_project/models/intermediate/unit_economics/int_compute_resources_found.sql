-- Resources that are GPUs by their price or their telemetry, or are a training run, and what for. A GPU that served and
-- trained is for what it did on most device days; null where no telemetry says.
with named as (
    select
        machines.billing_account_id,
        machines.resource_id,
        coalesce(gpus.purpose, 'unknown') as purpose,
        count(*) as device_days
    from {{ ref('stg_gpu_utilization') }} as gpus
    inner join {{ ref('int_machine_names_listed') }} as machines
        on gpus.account_id = machines.billing_account_id and gpus.resource_id = machines.machine_name
    group by machines.billing_account_id, machines.resource_id, coalesce(gpus.purpose, 'unknown')

    union all

    select
        billing_account_id,
        resource_id,
        'unknown' as purpose,
        0 as device_days
    from {{ ref('int_charges_by_day') }}
    where resource_id is not null and sku_price_details like '%"GpuCount"%'
    group by billing_account_id, resource_id

    union all

    select
        account_id as billing_account_id,
        resource_id,
        'training' as purpose,
        count(*) as device_days
    from {{ ref('stg_training_run') }}
    where resource_id is not null
    group by account_id, resource_id
),

ranked as (
    select
        billing_account_id,
        resource_id,
        purpose,
        row_number() over (
            partition by billing_account_id, resource_id
            order by case when purpose = 'unknown' then 1 else 0 end asc, device_days desc, purpose asc
        ) as purpose_rank
    from named
)

select
    billing_account_id,
    resource_id,
    purpose
from ranked
where purpose_rank = 1
