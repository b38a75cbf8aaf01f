-- GPU hours that workloads of a cluster held on each machine and day. Windows longer than a day tell the cluster of a
-- machine and not its hours.
with windows as (
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
)

select
    charge_date,
    billing_account_id,
    resource_id,
    max(cluster) as cluster,
    cast(sum(case when kind = 'workload' and window_hours <= 24 then gpu_hours end) as double) as requested_hours
from windows
group by charge_date, billing_account_id, resource_id
