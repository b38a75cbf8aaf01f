-- How many tokens an hour of each class of GPU served, where it was measured: tokens of vendors that send no bill, of
-- use cases whose inference GPUs are all of one class, over the hours of those GPUs, and how busy these were.
with own_vendors as (
    select distinct usage.service_provider_name
    from {{ ref('int_usage_attributed') }} as usage
    where
        not exists (
            select 1 from {{ ref('int_charges_summed') }} as charges
            where charges.service_provider_name = usage.service_provider_name
        )
),

served as (
    select
        {{ month_text('usage.charge_date') }} as month,
        usage.use_case,
        sum(usage.total_tokens) as tokens
    from {{ ref('int_usage_attributed') }} as usage
    inner join own_vendors on usage.service_provider_name = own_vendors.service_provider_name
    where usage.use_case <> 'unallocated' and usage.total_tokens is not null
    group by {{ month_text('usage.charge_date') }}, usage.use_case
),

owners as (
    select
        charge_date,
        billing_account_id,
        resource_id,
        min(use_case) as use_case
    from {{ ref('int_charges_attributed') }}
    where resource_id is not null
    group by charge_date, billing_account_id, resource_id
    having count(distinct use_case) = 1
),

intervals as (
    select
        cast(gpus.usage_start as date) as charge_date,
        machines.billing_account_id,
        machines.resource_id,
        gpus.gpu_model,
        gpus.utilization_ratio,
        coalesce(gpus.device_fraction, 1)
        * cast({{ dbt.datediff('gpus.usage_start', 'gpus.usage_end', 'second') }} as double) / 3600 as hours -- noqa: LT05
    from {{ ref('stg_gpu_utilization') }} as gpus
    inner join {{ ref('int_machine_names_listed') }} as machines
        on gpus.account_id = machines.billing_account_id and gpus.resource_id = machines.machine_name
    where gpus.purpose = 'inference' and gpus.gpu_model is not null
),

busy as (
    select
        {{ month_text('intervals.charge_date') }} as month,
        owners.use_case,
        min(intervals.gpu_model) as gpu_class,
        count(distinct intervals.gpu_model) as gpu_classes,
        sum(intervals.hours) as gpu_hours,
        sum(case when intervals.utilization_ratio is not null then intervals.hours end) as measured_hours,
        sum(intervals.hours * intervals.utilization_ratio) as busy_hours
    from intervals
    inner join owners
        on
            intervals.charge_date = owners.charge_date
            and intervals.billing_account_id = owners.billing_account_id
            and intervals.resource_id = owners.resource_id
    group by {{ month_text('intervals.charge_date') }}, owners.use_case
)

select
    busy.month,
    busy.gpu_class,
    cast(sum(served.tokens) as bigint) as tokens,
    sum(busy.gpu_hours) as gpu_hours,
    {{ ratio('sum(served.tokens)', 'sum(busy.gpu_hours)') }} as tokens_per_gpu_hour,
    {{ ratio('sum(busy.busy_hours)', 'sum(busy.measured_hours)') }} as utilization
from busy
inner join served on busy.month = served.month and busy.use_case = served.use_case
where busy.gpu_classes = 1
group by busy.month, busy.gpu_class
