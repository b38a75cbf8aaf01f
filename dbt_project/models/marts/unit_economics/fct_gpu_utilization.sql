-- GPU hours bought, allocated and used on each day, by device class, cluster, team and use, and what the idle ones
-- cost. Every device hour on the bill is here once, however its device is cut; hours that nobody measured are
-- unmeasured, not idle. Hours that telemetry saw and no bill knows have rows of their own, without a cost.
with daily as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        device_class,
        cluster,
        team,
        purpose,
        billing_currency,
        is_billed,
        sum(case when is_billed then device_hours end) as bought_hours,
        sum(allocated_hours) as allocated_hours,
        sum(case when allocated_hours is not null then device_hours end) as allocation_known_hours,
        sum(case when is_measured then device_hours end) as measured_hours,
        sum(case when not is_measured then device_hours end) as unmeasured_hours,
        sum(used_hours) as used_hours,
        sum(effective_cost) as effective_cost,
        sum(case when is_measured then effective_cost end) as measured_cost,
        sum(case when not is_measured then effective_cost end) as unmeasured_cost,
        sum(used_cost) as used_cost,
        max(case purpose
            when 'inference' then {{ limit_of('gpu_inference_target') }}
            when 'training' then {{ limit_of('gpu_training_target') }}
        end) as target_ratio
    from {{ ref('int_gpu_hours_split') }}
    group by
        charge_date, service_provider_name, billing_account_id, device_class, cluster, team, purpose, billing_currency,
        is_billed
)

select
    charge_date,
    service_provider_name,
    billing_account_id,
    device_class,
    cluster,
    team,
    purpose,
    case when is_billed then 'bill' else 'telemetry' end as hours_basis,
    billing_currency,
    bought_hours,
    allocated_hours,
    allocation_known_hours,
    measured_hours,
    unmeasured_hours,
    used_hours,
    {{ exact_difference('measured_hours', 'used_hours') }} as idle_hours,
    {{ ratio('used_hours', 'measured_hours') }} as utilization_ratio,
    cast(target_ratio as double) as target_ratio,
    case
        when measured_hours is null then 'unmeasured'
        when target_ratio is null then 'no target'
        when {{ ratio('used_hours', 'measured_hours') }} >= target_ratio then 'on target'
        else 'below target'
    end as grade,
    effective_cost,
    used_cost,
    {{ exact_difference('measured_cost', 'used_cost') }} as idle_cost,
    unmeasured_cost,
    {{ ratio('effective_cost', 'bought_hours') }} as effective_cost_per_bought_hour,
    {{ ratio('measured_cost', 'used_hours') }} as effective_cost_per_used_hour
from daily
