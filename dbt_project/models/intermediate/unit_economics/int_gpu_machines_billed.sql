-- Machines with GPUs on each day they were billed: the device hours bought, and what the whole machine cost.
-- The number of GPUs is the bill's, else that of the devices telemetry saw on the machine that day; where neither says
-- it, the hours are unknown and the cost stands all the same. The unused part of a commitment or of reserved capacity
-- is hours bought that no machine ran. An instance type holds the GPU that telemetry of any machine of that type names,
-- none where it names two; a type of a managed service holds what the plain type holds: ml.g5.xlarge is a g5.xlarge.
with devices as (
    select
        account_id,
        resource_id,
        charge_date,
        count(distinct device_id) as devices
    from {{ ref('int_gpu_intervals_shared') }}
    where resource_id is not null
    group by account_id, resource_id, charge_date
),

runs as (
    select distinct resource_id
    from {{ ref('stg_training_run') }}
    where resource_id is not null
),

classes as (
    select
        {{ plain_instance_type('machines.instance_type') }} as instance_type,
        max(intervals.gpu_model) as gpu_model
    from {{ ref('int_machine_charges_summed') }} as machines
    inner join {{ ref('int_gpu_intervals_shared') }} as intervals
        on
            machines.billing_account_id = intervals.account_id
            and machines.resource_id = intervals.resource_id
            and machines.charge_date = intervals.charge_date
    where machines.instance_type is not null and intervals.gpu_model is not null
    group by {{ plain_instance_type('machines.instance_type') }}
    having count(distinct intervals.gpu_model) = 1
),

-- GPU hours that workloads of a cluster held. Windows longer than a day tell the cluster of a machine, not its hours.
windows as (
    select
        cast(allocations.usage_start as date) as charge_date,
        names.billing_account_id,
        names.resource_id,
        allocations.cluster,
        allocations.kind,
        allocations.gpu_hours,
        {{ hours_between('allocations.usage_start', 'allocations.usage_end') }} as window_hours
    from {{ ref('stg_cluster_allocation') }} as allocations
    inner join {{ ref('int_machine_names_listed') }} as names
        on
            allocations.resource_id = names.machine_name
            and (allocations.account_id is null or allocations.account_id = names.billing_account_id)
),

requests as (
    select
        charge_date,
        billing_account_id,
        resource_id,
        max(cluster) as cluster,
        cast(sum(case when kind = 'workload' and window_hours <= 24 then gpu_hours end) as double) as requested_hours
    from windows
    group by charge_date, billing_account_id, resource_id
),

machines as (
    select
        charges.charge_date,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.resource_id,
        charges.is_unused,
        charges.billing_currency,
        max(charges.instance_type) as instance_type,
        max(charges.gpu_model) as gpu_model,
        case when min(charges.team) = max(charges.team) then min(charges.team) else 'several' end as team,
        sum({{ as_amount(
            'charges.machine_hours * coalesce(charges.gpus, cast(devices.devices as double))'
        ) }}) as bought_hours,
        sum(charges.effective_cost) as effective_cost,
        sum(charges.list_cost) as list_cost
    from {{ ref('int_machine_charges_summed') }} as charges
    left join devices
        on
            charges.billing_account_id = devices.account_id
            and charges.resource_id = devices.resource_id
            and charges.charge_date = devices.charge_date
    group by
        charges.charge_date, charges.service_provider_name, charges.billing_account_id, charges.resource_id,
        charges.is_unused, charges.billing_currency
)

select
    machines.*,
    runs.resource_id is not null as is_training_run,
    coalesce(classes.gpu_model, machines.gpu_model, machines.instance_type, 'unknown') as device_class,
    requests.cluster,
    requests.requested_hours
from machines
left join classes
    on {{ plain_instance_type('machines.instance_type') }} = classes.instance_type
left join runs on machines.resource_id = runs.resource_id
left join requests
    on
        machines.charge_date = requests.charge_date
        and machines.billing_account_id = requests.billing_account_id
        and machines.resource_id = requests.resource_id
        and not machines.is_unused
where
    machines.bought_hours > 0
    or (substr(machines.instance_type, 1, 10) = 'Standard_N' and substr(machines.instance_type, 1, 11) <> 'Standard_NP')
