-- How many tokens an hour of a GPU has to serve before it is as cheap as the model's own vendor, in each month, from
-- what both really cost. How many it does serve, and how busy it must be, is there only where it was measured.
with priced as (
    select
        month,
        item as model,
        service_provider_name,
        comparison_currency as currency,
        sum(quantity) as million_tokens,
        {{ ratio('sum(comparison_unit_cost * quantity)', 'sum(quantity)') }} as api_cost_per_1m_tokens
    from {{ ref('fct_vendor_unit_cost') }}
    where unit = 'million tokens'
    group by month, item, service_provider_name, comparison_currency
),

gpus as (
    select
        month,
        item as gpu_class,
        service_provider_name,
        region_id,
        terms,
        comparison_currency as currency,
        comparison_unit_cost as gpu_hour_cost
    from {{ ref('fct_vendor_unit_cost') }}
    where unit = 'gpu hour'
),

own_vendors as (
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
        coalesce(gpus.device_fraction, 1) * {{ hours_between('gpus.usage_start', 'gpus.usage_end') }} as hours
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
),

-- Tokens of vendors that send no bill, of use cases whose inference GPUs are all of one class, over the hours of those
-- GPUs.
measured as (
    select
        busy.month,
        busy.gpu_class,
        {{ ratio('sum(served.tokens)', 'sum(busy.gpu_hours)') }} as tokens_per_gpu_hour,
        {{ ratio('sum(busy.busy_hours)', 'sum(busy.measured_hours)') }} as utilization
    from busy
    inner join served on busy.month = served.month and busy.use_case = served.use_case
    where busy.gpu_classes = 1
    group by busy.month, busy.gpu_class
),

compared as (
    select
        priced.month,
        priced.service_provider_name,
        priced.model,
        gpus.service_provider_name as gpu_provider_name,
        gpus.gpu_class,
        gpus.region_id,
        gpus.terms,
        priced.currency,
        priced.million_tokens,
        priced.api_cost_per_1m_tokens,
        gpus.gpu_hour_cost,
        {{ ratio('gpus.gpu_hour_cost', 'priced.api_cost_per_1m_tokens') }} * 1000000 as break_even_tokens_per_gpu_hour,
        measured.tokens_per_gpu_hour as measured_tokens_per_gpu_hour,
        measured.utilization as measured_utilization
    from priced
    inner join gpus on priced.month = gpus.month and priced.currency = gpus.currency
    left join measured
        on gpus.month = measured.month and gpus.gpu_class = measured.gpu_class
)

select
    month,
    service_provider_name,
    model,
    gpu_provider_name,
    gpu_class,
    region_id,
    terms,
    currency,
    million_tokens,
    api_cost_per_1m_tokens,
    gpu_hour_cost,
    break_even_tokens_per_gpu_hour,
    measured_tokens_per_gpu_hour,
    measured_utilization,
    {{ ratio('gpu_hour_cost', 'measured_tokens_per_gpu_hour') }} * 1000000 as self_hosted_cost_per_1m_tokens,
    {{ ratio(
        'break_even_tokens_per_gpu_hour * measured_utilization', 'measured_tokens_per_gpu_hour'
    ) }} as break_even_utilization,
    case
        when break_even_tokens_per_gpu_hour is null then 'the vendor charged nothing for its tokens'
        when measured_tokens_per_gpu_hour is null then 'no tokens of self-hosted models are counted beside these GPUs'
        when measured_utilization is null then 'how busy these GPUs are is not measured'
    end as reason
from compared
