-- OpenCost's daily CSV export → the split of a cluster's cost.  One container and day in, one row out.
--   These costs are estimates from the cluster's price list, for money that is on the provider's bill already.
--   The file names neither cluster nor currency: say which cluster it is with --account.
-- dataset: cluster_allocation
-- formats: csv, parquet
-- null: NaN
-- needs: pod, container
-- bucket: usage_start
-- account: coalesce(getvariable('account'), 'default')
-- month: strftime("date", '%Y-%m')
-- quirk: The date is the whole UTC day.
-- quirk: What was not a number (NaN) stays NULL, never 0.
-- quirk: Load balancers, shared and external costs have no column of their own: other_cost is what the total holds beyond its delivered parts, and a row whose parts exceed its total is refused.
-- quirk: Hours are not delivered, only averages while a container ran; hours are NULL and GPUs are such an average.
-- quirk: Labels is the JSON of all labels; without it the Label_… columns are gathered.
-- not covered: Averages of processor, memory and traffic.
create table raw (
    "date" date not null, "namespace" varchar not null, controller_kind varchar, controller_name varchar,
    pod varchar, container varchar, gpus decimal(38, 18),
    cpu_cost decimal(38, 18) not null, ram_cost decimal(38, 18) not null, gpu_cost decimal(38, 18),
    network_cost decimal(38, 18), pv_cost decimal(38, 18), total_cost decimal(38, 18) not null,
    labels json, label json
);
with rest as (
    select
        *,
        total_cost - cpu_cost - ram_cost - coalesce(gpu_cost, 0) - coalesce(network_cost, 0) - coalesce(pv_cost, 0) as rest,
        [namespace, pod, container] as names
    from raw
)
select
    cast("date" as timestamptz) as usage_start, usage_start + interval 1 day as usage_end,
    coalesce(getvariable('account'), 'default') as cluster,
    concat_ws('/', "namespace", controller_kind, controller_name, pod, container) as allocation,
    case
        when list_contains(names, '__idle__') then 'idle'
        when list_contains(names, '__unmounted__') then 'unmounted'
        when list_contains(names, '__unallocated__') then 'unallocated'
        else 'workload'
    end as kind,
    case when kind in ('workload', 'unallocated') then nullif("namespace", '__unallocated__') end as "namespace",
    nullif(controller_kind, '__unallocated__') as controller_kind, nullif(controller_name, '__unallocated__') as controller,
    case when kind in ('workload', 'unallocated') then nullif(pod, '__unallocated__') end as pod,
    case when kind in ('workload', 'unallocated') then nullif(container, '__unallocated__') end as container,
    gpus, cpu_cost, ram_cost, gpu_cost, network_cost, pv_cost, total_cost,
    case when rest > -0.0001 then rest end as other_cost,
    nullif(cast(coalesce(labels, label) as varchar), '{}') as labels,
    x_source_file, x_source_row
from rest
