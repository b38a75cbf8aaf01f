-- What GPUs each machine of the bill holds by its telemetry: the model most of its rows name, and how many devices.
with counted as (
    select
        machines.billing_account_id,
        machines.resource_id,
        gpus.gpu_model,
        count(distinct gpus.device_id) as devices,
        count(*) as rows_that_name_it
    from {{ ref('stg_gpu_utilization') }} as gpus
    inner join {{ ref('int_machine_names_listed') }} as machines
        on gpus.account_id = machines.billing_account_id and gpus.resource_id = machines.machine_name
    where gpus.gpu_model is not null
    group by machines.billing_account_id, machines.resource_id, gpus.gpu_model
),

ranked as (
    select
        *,
        row_number() over (
            partition by billing_account_id, resource_id
            order by rows_that_name_it desc, gpu_model asc
        ) as model_rank
    from counted
)

select
    billing_account_id,
    resource_id,
    gpu_model,
    cast(devices as bigint) as devices
from ranked
where model_rank = 1
