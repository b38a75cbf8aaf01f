-- OpenCost and Kubecost allocations (the JSON of their allocation API, any window, step and sum) → the split of a
-- cluster's cost.  One allocation of one window in, one row out; idle capacity is a row of its own.
--   These costs are estimates from the cluster's price list, for money that is on the provider's bill already.
-- dataset: cluster_allocation
-- formats: json
-- records: data > *
-- bucket: usage_start
-- account: coalesce(properties ->> '$.cluster', getvariable('account'), 'default')
-- month: strftime("window"."start", '%Y-%m')
-- quirk: The records of a window are the values of a map whose keys repeat their names.
-- quirk: What was not a number (NaN) is delivered as null and stays NULL, never 0.
-- quirk: Amounts are rounded to 5 decimals one by one, so parts add up to the total within 0.0001.
-- quirk: Adjustments to the provider's bill are part of the cost they adjust.
-- quirk: Memory in byte-hours becomes GB-hours, a GB being 1,000,000,000 bytes.
-- quirk: The API names no currency, so currency is NULL.
-- quirk: A window is what was asked for; the minutes in which the workload ran inside it are not kept.
-- not covered: Requests, usage averages and efficiencies; annotations; volumes and load balancers one by one.
-- not covered: Two clusters of one name replace each other; OpenCost calls every cluster default-cluster until it is named.
-- not covered: The same days asked for in windows of two lengths are two splits; ask always for the same step.
create table raw (
    "name" varchar not null, "window" struct("start" timestamptz, "end" timestamptz) not null, properties json,
    cpu_core_hours decimal(38, 18) not null, ram_byte_hours decimal(28, 9),
    gpu_hours decimal(38, 18), gpu_count decimal(38, 18),
    cpu_cost decimal(38, 18) not null, cpu_cost_adjustment decimal(38, 18),
    ram_cost decimal(38, 18), ram_cost_adjustment decimal(38, 18),
    gpu_cost decimal(38, 18), gpu_cost_adjustment decimal(38, 18),
    pv_cost decimal(38, 18), pv_cost_adjustment decimal(38, 18),
    network_cost decimal(38, 18), network_cost_adjustment decimal(38, 18),
    load_balancer_cost decimal(38, 18), load_balancer_cost_adjustment decimal(38, 18),
    external_cost decimal(38, 18), shared_cost decimal(38, 18),
    total_cost decimal(38, 18) not null
);
select
    "window"."start" as usage_start, "window"."end" as usage_end,
    -- Node ids: i-0abc, aws:///us-east-1a/i-0abc; gce://project/zone/name; azure:///subscriptions/….
    regexp_replace(properties ->> '$.providerID', '^(aws:///[^/]+/|gce://[^/]+/[^/]+/|azure://)', '') as resource_id,
    case
        when regexp_matches(resource_id, '^i-[0-9a-f]+$') then 'AWS'
        when properties ->> '$.providerID' like 'gce://%' or resource_id like 'gke-%' then 'Google Cloud'
        when resource_id ilike '/subscriptions/%' then 'Microsoft'
    end as provider,
    getvariable('account') as account_id,
    coalesce(properties ->> '$.cluster', getvariable('account'), 'default') as cluster, properties ->> '$.node' as node,
    "name" as allocation,
    -- Summed by several properties, a name is a/b/c. Idle stands in any place, what lacks a property in the last.
    case
        when list_contains(string_split("name", '/'), '__idle__') then 'idle'
        when list_contains(string_split("name", '/'), '__unmounted__') then 'unmounted'
        when list_contains(string_split("name", '/'), '__shared__') then 'shared'
        when string_split("name", '/')[-1] = '__unallocated__' then 'unallocated'
        else 'workload'
    end as kind,
    case when kind not in ('idle', 'unmounted', 'shared') then properties ->> '$.namespace' end as "namespace",
    properties ->> '$.controllerKind' as controller_kind, properties ->> '$.controller' as controller,
    case when kind not in ('idle', 'unmounted', 'shared') then properties ->> '$.pod' end as pod,
    case when kind not in ('idle', 'unmounted', 'shared') then properties ->> '$.container' end as container,

    cpu_core_hours, cast(ram_byte_hours * 0.000000001::decimal(10, 9) as decimal(38, 18)) as ram_gb_hours,
    gpu_hours, gpu_count as gpus,
    raw.cpu_cost + coalesce(cpu_cost_adjustment, 0) as cpu_cost,
    raw.ram_cost + coalesce(ram_cost_adjustment, 0) as ram_cost,
    raw.gpu_cost + coalesce(gpu_cost_adjustment, 0) as gpu_cost,
    raw.pv_cost + coalesce(pv_cost_adjustment, 0) as pv_cost,
    raw.network_cost + coalesce(network_cost_adjustment, 0) as network_cost,
    raw.load_balancer_cost + coalesce(load_balancer_cost_adjustment, 0) as load_balancer_cost,
    case when coalesce(external_cost, shared_cost) is not null then coalesce(external_cost, 0) + coalesce(shared_cost, 0) end
        as other_cost,
    total_cost,
    nullif(cast(properties -> '$.labels' as varchar), '{}') as labels,
    x_source_file, x_source_row
from raw
