-- What serverless functions cost a month, by the bill and by what telemetry counted, side by side: the two are stacked
-- and added up, never joined, so that what only one of them knows keeps its own row.
-- `ordinal` pairs the first currency billed with the one that the account's rates are in.
with estimated as (
    select
        runs.*,
        rates.billing_currency as estimated_currency,
        rates.effective_cost_per_gb_second,
        -- A rate is a DOUBLE: what it says beyond 12 decimals is noise, and would stand there as a difference.
        cast(cast({{ as_amount(
            'runs.gb_seconds * rates.effective_cost_per_gb_second'
            ~ ' + cast(runs.invocations as double) * coalesce(rates.effective_cost_per_request, 0)'
        ) }} as decimal(30, 12)) as decimal(38, 18)) as estimated_cost
    from {{ ref('int_function_runs_summed') }} as runs
    left join {{ ref('int_function_rates_derived') }} as rates
        on
            runs.month = rates.month
            and runs.service_provider_name = rates.service_provider_name
            and runs.billing_account_id = rates.billing_account_id
),

both_sides as (
    select
        month,
        service_provider_name,
        billing_account_id,
        coalesce(function_name, 'no function') as function_name,
        resource_id,
        row_number() over (
            partition by month, service_provider_name, billing_account_id, resource_id
            order by billing_currency
        ) as ordinal,
        service_name,
        billing_currency,
        billed_cost,
        effective_cost,
        gb_seconds as billed_gb_seconds,
        requests as billed_requests,
        cast(null as bigint) as invocations,
        cast(null as bigint) as failed_invocations,
        cast(null as bigint) as cold_starts,
        cast(null as double) as gb_seconds,
        cast(null as double) as init_gb_seconds,
        cast(null as double) as spare_gb_seconds,
        cast(null as bigint) as memory_size_mb,
        cast(null as bigint) as max_memory_used_mb,
        cast(null as double) as effective_cost_per_gb_second,
        cast(null as string) as estimated_currency,
        cast(null as decimal(38, 18)) as estimated_cost
    from {{ ref('int_function_charges_summed') }}

    union all

    select
        month,
        service_provider_name,
        billing_account_id,
        function_name,
        resource_id,
        1 as ordinal,
        cast(null as string) as service_name,
        cast(null as string) as billing_currency,
        cast(null as decimal(38, 18)) as billed_cost,
        cast(null as decimal(38, 18)) as effective_cost,
        cast(null as decimal(38, 18)) as billed_gb_seconds,
        cast(null as decimal(38, 18)) as billed_requests,
        invocations,
        failed_invocations,
        cold_starts,
        gb_seconds,
        init_gb_seconds,
        spare_gb_seconds,
        memory_size_mb,
        max_memory_used_mb,
        effective_cost_per_gb_second,
        estimated_currency,
        estimated_cost
    from estimated
),

paired as (
    select
        month,
        service_provider_name,
        billing_account_id,
        function_name,
        resource_id,
        max(service_name) as service_name,
        max(billing_currency) as billing_currency,
        max(estimated_currency) as estimated_currency,
        sum(invocations) as invocations,
        sum(failed_invocations) as failed_invocations,
        sum(cold_starts) as cold_starts,
        sum(gb_seconds) as gb_seconds,
        sum(init_gb_seconds) as init_gb_seconds,
        sum(spare_gb_seconds) as spare_gb_seconds,
        max(memory_size_mb) as memory_size_mb,
        max(max_memory_used_mb) as max_memory_used_mb,
        max(effective_cost_per_gb_second) as effective_cost_per_gb_second,
        sum(billed_gb_seconds) as billed_gb_seconds,
        sum(billed_requests) as billed_requests,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        sum(estimated_cost) as estimated_cost
    from both_sides
    group by month, service_provider_name, billing_account_id, function_name, resource_id, ordinal
)

select
    month,
    service_provider_name,
    billing_account_id,
    function_name,
    resource_id,
    service_name,
    billing_currency,
    cast(invocations as bigint) as invocations,
    cast(failed_invocations as bigint) as failed_invocations,
    cast(cold_starts as bigint) as cold_starts,
    billed_requests,
    gb_seconds,
    billed_gb_seconds,
    billed_cost,
    effective_cost,
    estimated_currency,
    estimated_cost,
    case
        when billing_currency = estimated_currency then {{ exact_difference('effective_cost', 'estimated_cost') }}
    end as unexplained_cost,
    case
        when effective_cost is null and estimated_cost is null then 'unpriced'
        when effective_cost is null then 'not on the bill'
        when invocations is null then 'not in telemetry'
        when estimated_cost is null then 'not estimated'
        when billing_currency <> estimated_currency then 'two currencies'
        else 'both'
    end as cost_basis,
    {{ ratio('effective_cost', 'coalesce(cast(invocations as double), cast(billed_requests as double))') }} * 1000000
        as effective_cost_per_1m_invocations,
    {{ ratio('estimated_cost', 'invocations') }} * 1000000 as estimated_cost_per_1m_invocations,
    {{ ratio('failed_invocations', 'invocations') }} as failed_ratio,
    {{ ratio('cold_starts', 'invocations') }} as cold_start_ratio,
    {{ as_amount('init_gb_seconds * effective_cost_per_gb_second') }} as cold_start_cost,
    memory_size_mb,
    max_memory_used_mb,
    1 - {{ ratio('max_memory_used_mb', 'memory_size_mb') }} as spare_memory_ratio,
    {{ as_amount('spare_gb_seconds * effective_cost_per_gb_second') }} as spare_memory_cost
from paired
