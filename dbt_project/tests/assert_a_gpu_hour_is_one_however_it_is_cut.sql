-- In no interval do the rows of a device add up to more than the interval, and the heatmap holds all of them.
with counted as (
    select
        account_id,
        device_id,
        usage_start,
        max(interval_hours) as interval_hours,
        sum(device_hours) as device_hours
    from {{ ref('int_gpu_intervals_shared') }}
    group by provider, account_id, device_id, usage_start
),

totals as (
    select
        (select sum(device_hours) from {{ ref('int_gpu_intervals_shared') }}) as device_hours,
        (select sum(device_hours) from {{ ref('fct_gpu_heatmap') }}) as shown_hours
)

select
    'more than the interval' as broken,
    device_id
from counted
where cast(device_hours as double) > interval_hours + 0.00001
union all
select
    'lost in the heatmap' as broken,
    cast(null as string) as device_id
from totals
where device_hours <> shown_hours
