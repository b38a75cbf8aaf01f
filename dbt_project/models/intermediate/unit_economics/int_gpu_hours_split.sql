-- The device hours of each machine and day, split by who used them for what: measured, seen without a value, and not
-- seen at all. The number of GPUs is the bill's, else that of the devices telemetry saw on the machine that day; where
-- neither says it, the hours are unknown and the cost stands all the same. The unused part of a commitment or of
-- reserved capacity is hours bought that no machine ran. What telemetry saw stands for the hours that were paid for, so
-- it is scaled down where it saw more; what it saw of machines that no bill knows keeps its own rows, without a cost.
-- Per machine, day and currency the costs add up to the machine's to the last digit: each part is rounded once, and the
-- last one takes the residue, as a sum, because Spark drops a digit where it subtracts wide decimals.
with seen as (
    select
        charge_date,
        account_id,
        resource_id,
        gpu_model,
        team,
        purpose,
        pod is not null or team is not null as has_workload,
        utilization_ratio is not null as is_measured,
        max(provider) as provider,
        sum(device_hours) as device_hours,
        sum(used_hours) as used_hours
    from {{ ref('int_gpu_intervals_shared') }}
    group by
        charge_date, account_id, resource_id, gpu_model, team, purpose, pod is not null or team is not null,
        utilization_ratio is not null
),

seen_in_all as (
    select
        charge_date,
        account_id,
        resource_id,
        count(distinct device_id) as devices,
        cast(sum(device_hours) as double) as seen_hours,
        max(gpu_model) as gpu_model
    from {{ ref('int_gpu_intervals_shared') }}
    where resource_id is not null
    group by charge_date, account_id, resource_id
),

-- An instance type holds the GPU that telemetry of any machine of that type names, none where it names two; a type of a
-- managed service holds what the plain type holds: ml.g5.xlarge is a g5.xlarge.
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

runs as (
    select distinct resource_id
    from {{ ref('stg_training_run') }}
    where resource_id is not null
),

-- GPU hours that workloads of a cluster held. Windows longer than a day tell the cluster of a machine, not its hours.
windows as (
    select
        cast(allocations.usage_start as date) as charge_date,
        names.billing_account_id,
        names.resource_id,
        allocations.cluster,
        case
            when
                allocations.kind = 'workload'
                and {{ hours_between('allocations.usage_start', 'allocations.usage_end') }} <= 24
                then allocations.gpu_hours
        end as gpu_hours
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
        cast(sum(gpu_hours) as double) as requested_hours
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
            'charges.machine_hours * coalesce(charges.gpus, cast(seen_in_all.devices as double))'
        ) }}) as bought_hours,
        sum(charges.effective_cost) as machine_cost,
        sum(charges.list_cost) as machine_list_cost,
        max(case when not charges.is_unused then seen_in_all.seen_hours end) as seen_in_all,
        max(case when not charges.is_unused then seen_in_all.gpu_model end) as seen_gpu_model
    from {{ ref('int_machine_charges_summed') }} as charges
    left join seen_in_all
        on
            charges.billing_account_id = seen_in_all.account_id
            and charges.resource_id = seen_in_all.resource_id
            and charges.charge_date = seen_in_all.charge_date
    group by
        charges.charge_date, charges.service_provider_name, charges.billing_account_id, charges.resource_id,
        charges.is_unused, charges.billing_currency
    having
        sum(charges.machine_hours * coalesce(charges.gpus, cast(seen_in_all.devices as double))) > 0
        or (
            substr(max(charges.instance_type), 1, 10) = 'Standard_N'
            and substr(max(charges.instance_type), 1, 11) <> 'Standard_NP'
        )
),

bought_in_all as (
    select
        charge_date,
        billing_account_id,
        resource_id,
        cast(sum(bought_hours) as double) as bought_hours
    from machines
    where not is_unused
    group by charge_date, billing_account_id, resource_id
),

scaled as (
    select
        machines.*,
        cast(machines.bought_hours as double) as machine_hours,
        coalesce(bought_in_all.bought_hours, cast(machines.bought_hours as double)) as bought_in_all,
        cast(machines.bought_hours as double) / case
            when machines.seen_in_all > bought_in_all.bought_hours then machines.seen_in_all
            else bought_in_all.bought_hours
        end as scale,
        runs.resource_id is not null as is_training_run,
        coalesce(classes.gpu_model, machines.gpu_model, machines.instance_type, 'unknown') as device_class,
        requests.cluster,
        requests.requested_hours
    from machines
    left join bought_in_all
        on
            machines.charge_date = bought_in_all.charge_date
            and machines.billing_account_id = bought_in_all.billing_account_id
            and machines.resource_id = bought_in_all.resource_id
            and not machines.is_unused
    left join classes on {{ plain_instance_type('machines.instance_type') }} = classes.instance_type
    left join runs on machines.resource_id = runs.resource_id
    left join requests
        on
            machines.charge_date = requests.charge_date
            and machines.billing_account_id = requests.billing_account_id
            and machines.resource_id = requests.resource_id
            and not machines.is_unused
),

parts as (
    select
        scaled.charge_date,
        scaled.service_provider_name,
        scaled.billing_account_id,
        scaled.resource_id,
        scaled.is_unused,
        scaled.billing_currency,
        scaled.machine_hours,
        scaled.machine_cost,
        scaled.machine_list_cost,
        scaled.cluster,
        scaled.requested_hours / scaled.bought_in_all as requested_ratio,
        coalesce(seen.gpu_model, scaled.device_class) as device_class,
        coalesce(seen.team, scaled.team) as team,
        coalesce(seen.purpose, case when scaled.is_training_run then 'training' end, 'unknown') as purpose,
        case when seen.has_workload or scaled.is_training_run then 1 else 0 end as allocated_ratio,
        seen.is_measured,
        {{ as_amount('cast(seen.device_hours as double) * scaled.scale') }} as device_hours,
        {{ as_amount('cast(seen.used_hours as double) * scaled.scale') }} as used_hours
    from scaled
    inner join seen
        on
            scaled.charge_date = seen.charge_date
            and scaled.billing_account_id = seen.account_id
            and scaled.resource_id = seen.resource_id
    where scaled.machine_hours > 0 and not scaled.is_unused

    union all

    select
        charge_date,
        service_provider_name,
        billing_account_id,
        resource_id,
        is_unused,
        billing_currency,
        machine_hours,
        machine_cost,
        machine_list_cost,
        cluster,
        requested_hours / bought_in_all as requested_ratio,
        coalesce(seen_gpu_model, device_class) as device_class,
        team,
        case when is_unused then 'unused commitment' when is_training_run then 'training' else 'unknown' end as purpose,
        case when is_unused then 0 when is_training_run then 1 end as allocated_ratio,
        is_unused as is_measured,
        case
            when seen_in_all is null then bought_hours
            else {{ as_amount('machine_hours * (1 - seen_in_all / bought_in_all)') }}
        end as device_hours,
        case when is_unused then cast(0 as decimal(38, 18)) end as used_hours
    from scaled
    where machine_hours is null or seen_in_all is null or seen_in_all < bought_in_all * 0.999999
),

numbered as (
    select
        *,
        row_number() over (
            partition by
                charge_date, service_provider_name, billing_account_id, resource_id, is_unused, billing_currency
            order by
                device_class, team, purpose, case when is_measured then 1 else 0 end, coalesce(allocated_ratio, 2),
                device_hours
        ) = count(*) over machine as is_last,
        coalesce(
            {{ as_amount('cast(machine_cost as double) * cast(device_hours as double) / machine_hours') }}, machine_cost
        ) as rounded_cost,
        coalesce(
            {{ as_amount('cast(machine_list_cost as double) * cast(device_hours as double) / machine_hours') }},
            machine_list_cost
        ) as rounded_list_cost
    from parts
    window machine as (
        partition by charge_date, service_provider_name, billing_account_id, resource_id, is_unused, billing_currency
    )
),

costed as (
    select
        *,
        case
            when is_last then sum(case when is_last then machine_cost else -rounded_cost end) over machine
            else rounded_cost
        end as effective_cost,
        case
            when is_last then sum(case when is_last then machine_list_cost else -rounded_list_cost end) over machine
            else rounded_list_cost
        end as list_cost
    from numbered
    window machine as (
        partition by charge_date, service_provider_name, billing_account_id, resource_id, is_unused, billing_currency
    )
)

select
    charge_date,
    service_provider_name,
    billing_account_id,
    resource_id,
    device_class,
    cluster,
    team,
    purpose,
    billing_currency,
    is_measured,
    true as is_billed,
    device_hours,
    case
        when is_unused or requested_ratio is null then {{ as_amount('cast(device_hours as double) * allocated_ratio') }}
        else {{ as_amount(
            'cast(device_hours as double) * case when requested_ratio < 1 then requested_ratio else 1 end'
        ) }}
    end as allocated_hours,
    used_hours,
    effective_cost,
    list_cost,
    {{ as_amount(
        'cast(effective_cost as double) * cast(used_hours as double) / nullif(cast(device_hours as double), 0)'
    ) }} as used_cost
from costed

union all

select
    seen.charge_date,
    coalesce(seen.provider, 'unknown') as service_provider_name,
    seen.account_id as billing_account_id,
    seen.resource_id,
    coalesce(seen.gpu_model, 'unknown') as device_class,
    cast(null as string) as cluster,
    coalesce(seen.team, 'unallocated') as team,
    coalesce(seen.purpose, 'unknown') as purpose,
    cast(null as string) as billing_currency,
    seen.is_measured,
    false as is_billed,
    seen.device_hours,
    case when seen.has_workload then seen.device_hours else cast(0 as decimal(38, 18)) end as allocated_hours,
    seen.used_hours,
    cast(null as decimal(38, 18)) as effective_cost,
    cast(null as decimal(38, 18)) as list_cost,
    cast(null as decimal(38, 18)) as used_cost
from seen
left join bought_in_all
    on
        seen.charge_date = bought_in_all.charge_date
        and seen.account_id = bought_in_all.billing_account_id
        and seen.resource_id = bought_in_all.resource_id
where coalesce(bought_in_all.bought_hours, 0) = 0
