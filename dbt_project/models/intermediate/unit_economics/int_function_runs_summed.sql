-- What telemetry says each serverless function did in each calendar month, and which function of the bill it is: the
-- one of its id, else the only one of its name in the account.
-- What a source left out of some rows is unknown for the whole month, because a part would look like less.
{% set counted = ['failed_invocations', 'cold_starts', 'billed_duration_ms', 'init_duration_ms'] %}

with names as (
    select
        service_provider_name,
        billing_account_id,
        function_name,
        max(resource_id) as resource_id
    from {{ ref('int_function_charges_summed') }}
    where resource_id is not null
    group by service_provider_name, billing_account_id, function_name
    having count(distinct resource_id) = 1
),

runs as (
    select
        {{ month_text('cast(runs.usage_start as date)') }} as month,
        runs.provider as service_provider_name,
        runs.account_id as billing_account_id,
        case
            when runs.resource_id is null then runs.function_name
            else {{ function_name('runs.resource_id') }}
        end as function_name,
        coalesce(runs.resource_id, names.resource_id) as resource_id,
        runs.invocations,
        {% for column in counted %}runs.{{ column }},
        {% endfor -%}
        runs.memory_size_mb,
        runs.max_memory_used_mb
    from {{ ref('stg_function_run') }} as runs
    left join names
        on
            runs.resource_id is null
            and runs.provider = names.service_provider_name
            and runs.account_id = names.billing_account_id
            and runs.function_name = names.function_name
),

peaks as (
    select
        *,
        max(max_memory_used_mb) over (
            partition by month, service_provider_name, billing_account_id, function_name, resource_id
        ) as peak_mb
    from runs
),

measured as (
    select
        *,
        cast(billed_duration_ms as decimal(24, 0)) * cast(memory_size_mb as decimal(12, 0)) as mb_ms,
        cast(init_duration_ms as decimal(22, 6)) * cast(memory_size_mb as decimal(12, 0)) as init_mb_ms,
        cast(billed_duration_ms as decimal(24, 0))
        * cast(case when memory_size_mb > peak_mb then memory_size_mb - peak_mb else 0 end as decimal(12, 0))
            as spare_mb_ms
    from peaks
)

select
    month,
    service_provider_name,
    billing_account_id,
    function_name,
    resource_id,
    cast(sum(invocations) as bigint) as invocations,
    {% for column in counted[:2] %}case
        when count({{ column }}) = count(*) then cast(sum({{ column }}) as bigint)
    end as {{ column }},
    {% endfor -%}
    case when count(mb_ms) = count(*) then cast(sum(mb_ms) as double) / 1024000 end as gb_seconds,
    case when count(init_mb_ms) = count(*) then cast(sum(init_mb_ms) as double) / 1024000 end as init_gb_seconds,
    case
        when count(mb_ms) = count(*) and count(peak_mb) = count(*) then cast(sum(spare_mb_ms) as double) / 1024000
    end as spare_gb_seconds,
    max(memory_size_mb) as memory_size_mb,
    max(peak_mb) as max_memory_used_mb
from measured
group by month, service_provider_name, billing_account_id, function_name, resource_id
