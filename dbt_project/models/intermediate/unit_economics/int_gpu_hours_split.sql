-- The device hours of each machine and day, split by who used them for what: measured, seen without a value, and not
-- seen at all. What telemetry saw stands for the hours that were paid for, so it is scaled down where it saw more; what
-- it saw of machines that no bill knows keeps its own rows, without a cost.
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
        cast(sum(device_hours) as double) as seen_hours,
        max(gpu_model) as gpu_model
    from seen
    where resource_id is not null
    group by charge_date, account_id, resource_id
),

bought_in_all as (
    select
        charge_date,
        billing_account_id,
        resource_id,
        cast(sum(bought_hours) as double) as bought_hours
    from {{ ref('int_gpu_machines_billed') }}
    where not is_unused
    group by charge_date, billing_account_id, resource_id
),

machines as (
    select
        machines.*,
        cast(machines.bought_hours as double) as machine_hours,
        coalesce(bought_in_all.bought_hours, cast(machines.bought_hours as double)) as bought_in_all,
        seen_in_all.seen_hours as seen_in_all,
        seen_in_all.gpu_model as seen_gpu_model
    from {{ ref('int_gpu_machines_billed') }} as machines
    left join bought_in_all
        on
            machines.charge_date = bought_in_all.charge_date
            and machines.billing_account_id = bought_in_all.billing_account_id
            and machines.resource_id = bought_in_all.resource_id
            and not machines.is_unused
    left join seen_in_all
        on
            machines.charge_date = seen_in_all.charge_date
            and machines.billing_account_id = seen_in_all.account_id
            and machines.resource_id = seen_in_all.resource_id
            and not machines.is_unused
),

scaled as (
    select
        *,
        machine_hours / case when seen_in_all > bought_in_all then seen_in_all else bought_in_all end as scale
    from machines
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
        scaled.effective_cost as machine_cost,
        scaled.list_cost as machine_list_cost,
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
        effective_cost as machine_cost,
        list_cost as machine_list_cost,
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
        ) as part_number,
        count(*) over (
            partition by
                charge_date, service_provider_name, billing_account_id, resource_id, is_unused, billing_currency
        ) as parts,
        coalesce(
            {{ as_amount('cast(machine_cost as double) * cast(device_hours as double) / machine_hours') }}, machine_cost
        ) as rounded_cost,
        coalesce(
            {{ as_amount('cast(machine_list_cost as double) * cast(device_hours as double) / machine_hours') }},
            machine_list_cost
        ) as rounded_list_cost
    from parts
),

residues as (
    select
        *,
        sum(case when part_number = parts then machine_cost else -rounded_cost end) over (
            partition by
                charge_date, service_provider_name, billing_account_id, resource_id, is_unused, billing_currency
        ) as cost_residue,
        sum(case when part_number = parts then machine_list_cost else -rounded_list_cost end) over (
            partition by
                charge_date, service_provider_name, billing_account_id, resource_id, is_unused, billing_currency
        ) as list_cost_residue
    from numbered
),

costed as (
    select
        *,
        case when part_number = parts then cost_residue else rounded_cost end as effective_cost,
        case when part_number = parts then list_cost_residue else rounded_list_cost end as list_cost
    from residues
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
