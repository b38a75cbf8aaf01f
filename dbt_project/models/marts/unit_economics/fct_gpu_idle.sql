-- Which machines with GPUs stand idle: per machine and month what it cost, how much of that nobody used, and the days
-- on which it did next to nothing. A day that nobody measured is not an idle day.
with daily as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        resource_id,
        billing_currency,
        min(device_class) as device_class,
        min(team) as first_team,
        max(team) as last_team,
        sum(device_hours) as bought_hours,
        sum(case when is_measured then device_hours end) as measured_hours,
        sum(used_hours) as used_hours,
        sum(effective_cost) as effective_cost,
        sum(list_cost) as list_cost,
        sum(case when is_measured then effective_cost end) as measured_cost,
        sum(used_cost) as used_cost
    from {{ ref('int_gpu_hours_split') }}
    where is_billed
    group by charge_date, service_provider_name, billing_account_id, resource_id, billing_currency
),

judged as (
    select
        daily.*,
        coalesce({{ ratio('daily.used_hours', 'daily.measured_hours') }} < idle_below.value, false) as is_idle
    from daily
    inner join {{ ref('int_thresholds_chosen') }} as idle_below on idle_below.measure = 'idle_gpu_utilization'
),

monthly as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        billing_account_id,
        resource_id,
        billing_currency,
        min(device_class) as device_class,
        case when min(first_team) = max(last_team) then min(first_team) else 'several' end as team,
        cast(count(*) as bigint) as billed_days,
        cast(count(measured_hours) as bigint) as measured_days,
        cast(sum(case when is_idle then 1 else 0 end) as bigint) as idle_days,
        min(case when is_idle then charge_date end) as first_idle_day,
        max(case when is_idle then charge_date end) as last_idle_day,
        sum(bought_hours) as bought_hours,
        sum(measured_hours) as measured_hours,
        sum(used_hours) as used_hours,
        sum(effective_cost) as effective_cost,
        sum(measured_cost) as measured_cost,
        sum(used_cost) as used_cost,
        sum(case when is_idle then effective_cost else 0 end) as idle_days_cost,
        sum(case when is_idle then list_cost else 0 end) as idle_days_list_cost
    from judged
    group by
        {{ month_text('charge_date') }}, service_provider_name, billing_account_id, resource_id, billing_currency
)

select
    month,
    service_provider_name,
    billing_account_id,
    resource_id,
    device_class,
    team,
    billing_currency,
    billed_days,
    measured_days,
    idle_days,
    first_idle_day,
    last_idle_day,
    bought_hours,
    measured_hours,
    used_hours,
    {{ ratio('used_hours', 'measured_hours') }} as utilization_ratio,
    effective_cost,
    {{ exact_difference('measured_cost', 'used_cost') }} as idle_cost,
    cast(idle_days_cost as decimal(38, 18)) as idle_days_cost,
    cast(idle_days_list_cost as decimal(38, 18)) as idle_days_list_cost
from monthly
