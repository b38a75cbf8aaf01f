-- When each GPU is busy: the share of its device hours that was used, by month, day of the week and hour of the day
-- (UTC). Telemetry in intervals longer than an hour tells days and no hours: those rows have no hour.
with hours as (
    select
        {{ month_text('charge_date') }} as month,
        provider,
        account_id,
        device_id,
        {{ weekday('charge_date') }} as weekday,
        case when interval_hours <= 1 then cast(extract(hour from usage_start) as bigint) end as hour_of_day,
        gpu_model,
        resource_id,
        team,
        device_hours,
        used_hours,
        case when utilization_ratio is not null then device_hours end as measured_hours
    from {{ ref('int_gpu_intervals_shared') }}
)

select
    month,
    provider as service_provider_name,
    account_id,
    device_id,
    weekday,
    hour_of_day,
    max(gpu_model) as gpu_model,
    max(resource_id) as resource_id,
    case when min(team) = max(team) then min(team) when min(team) is not null then 'several' end as team,
    sum(device_hours) as device_hours,
    sum(measured_hours) as measured_hours,
    sum(used_hours) as used_hours,
    {{ ratio('sum(used_hours)', 'sum(measured_hours)') }} as utilization_ratio
from hours
group by month, provider, account_id, device_id, weekday, hour_of_day
