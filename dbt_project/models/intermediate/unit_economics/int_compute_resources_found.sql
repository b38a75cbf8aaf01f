-- Resources that are GPUs by their price or their telemetry, or are a training run: what for, and which GPUs they hold.
-- A GPU that served and trained is for what it did on most device days; it holds the model that most rows of its
-- telemetry name. Null where no telemetry says.
with telemetry as (
    select
        machines.billing_account_id,
        machines.resource_id,
        gpus.device_id,
        gpus.gpu_model,
        coalesce(gpus.purpose, 'unknown') as purpose
    from {{ ref('stg_gpu_utilization') }} as gpus
    inner join {{ ref('int_machine_names_listed') }} as machines
        on gpus.account_id = machines.billing_account_id and gpus.resource_id = machines.machine_name
),

purposes as (
    select
        billing_account_id,
        resource_id,
        purpose,
        count(*) as device_days
    from telemetry
    group by billing_account_id, resource_id, purpose

    union all

    select distinct
        billing_account_id,
        resource_id,
        'unknown' as purpose,
        0 as device_days
    from {{ ref('int_charges_by_day') }}
    where resource_id is not null and sku_price_details like '%"GpuCount"%'

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

purposes_ranked as (
    select
        *,
        row_number() over (
            partition by billing_account_id, resource_id
            order by case when purpose = 'unknown' then 1 else 0 end asc, device_days desc, purpose asc
        ) as purpose_rank
    from purposes
),

models as (
    select
        billing_account_id,
        resource_id,
        gpu_model,
        cast(count(distinct device_id) as bigint) as devices,
        row_number() over (
            partition by billing_account_id, resource_id
            order by count(*) desc, gpu_model asc
        ) as model_rank
    from telemetry
    where gpu_model is not null
    group by billing_account_id, resource_id, gpu_model
)

select
    resources.billing_account_id,
    resources.resource_id,
    resources.purpose,
    models.gpu_model,
    models.devices
from purposes_ranked as resources
left join models
    on
        resources.billing_account_id = models.billing_account_id
        and resources.resource_id = models.resource_id
        and models.model_rank = 1
where resources.purpose_rank = 1
