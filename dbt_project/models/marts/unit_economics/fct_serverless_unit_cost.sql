-- What serverless functions cost a month, by the bill and by what telemetry counted, side by side: what only one of
-- them knows keeps its own row. The bill's functions are all of serverless compute, and whatever else names a function
-- that telemetry knows; charges that name no function stand together. A function of telemetry is the one of its id on
-- the bill, else the only one of its name in the account. What a source left out of some invocations is unknown for the
-- whole month, because a part would look like less.
with known as (
    select distinct resource_id
    from {{ ref('stg_function_run') }}
    where resource_id is not null
),

charges as (
    select
        {{ month_text('charges.charge_date') }} as month,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.service_name,
        charges.resource_id,
        {{ function_name('charges.resource_id') }} as function_name,
        charges.billing_currency,
        charges.billed_cost,
        charges.effective_cost,
        charges.consumed_quantity,
        charges.consumed_unit in ('GB-Seconds', 'GiB-Seconds') as is_gb_seconds,
        charges.consumed_unit = 'Requests' as is_requests
    from {{ ref('int_charges_by_day') }} as charges
    left join known on charges.resource_id = known.resource_id
    where charges.service_subcategory = 'Serverless Compute' or known.resource_id is not null
),

-- The first currency of a function stands beside what telemetry counted, so that no invocation counts twice.
billed as (
    select
        month,
        service_provider_name,
        billing_account_id,
        resource_id,
        coalesce(function_name, 'no function') as function_name,
        billing_currency,
        row_number() over (
            partition by month, service_provider_name, billing_account_id, resource_id
            order by billing_currency
        ) as ordinal,
        max(service_name) as service_name,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        cast(sum(case when is_gb_seconds then consumed_quantity end) as decimal(38, 18)) as gb_seconds,
        cast(sum(case when is_requests then consumed_quantity end) as decimal(38, 18)) as requests,
        sum(case when is_gb_seconds then effective_cost end) as gb_seconds_cost,
        sum(case when is_requests then effective_cost end) as requests_cost
    from charges
    group by month, service_provider_name, billing_account_id, resource_id, function_name, billing_currency
),

names as (
    select
        service_provider_name,
        billing_account_id,
        function_name,
        max(resource_id) as resource_id
    from billed
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
        runs.failed_invocations,
        runs.cold_starts,
        runs.billed_duration_ms,
        runs.init_duration_ms,
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
),

counted as (
    select
        month,
        service_provider_name,
        billing_account_id,
        function_name,
        resource_id,
        cast(sum(invocations) as bigint) as invocations,
        case
            when count(failed_invocations) = count(*) then cast(sum(failed_invocations) as bigint)
        end as failed_invocations,
        case when count(cold_starts) = count(*) then cast(sum(cold_starts) as bigint) end as cold_starts,
        case when count(mb_ms) = count(*) then cast(sum(mb_ms) as double) / 1024000 end as gb_seconds,
        case when count(init_mb_ms) = count(*) then cast(sum(init_mb_ms) as double) / 1024000 end as init_gb_seconds,
        case
            when count(mb_ms) = count(*) and count(peak_mb) = count(*) then cast(sum(spare_mb_ms) as double) / 1024000
        end as spare_gb_seconds,
        max(memory_size_mb) as memory_size_mb,
        max(peak_mb) as max_memory_used_mb
    from measured
    group by month, service_provider_name, billing_account_id, function_name, resource_id
),

billed_rates as (
    select
        month,
        service_provider_name,
        billing_account_id,
        billing_currency,
        {{ ratio('sum(gb_seconds_cost)', 'sum(gb_seconds)') }} as effective_cost_per_gb_second,
        {{ ratio('sum(requests_cost)', 'sum(requests)') }} as effective_cost_per_request,
        row_number() over (
            partition by month, service_provider_name, billing_account_id
            order by sum(gb_seconds) desc, billing_currency asc
        ) as currency_rank
    from billed
    group by month, service_provider_name, billing_account_id, billing_currency
    having sum(gb_seconds) > 0
),

-- What the account's own charges say that a GB-second and a request cost, in the currency that billed most of them.
estimated as (
    select
        counted.*,
        1 as ordinal,
        rates.billing_currency as estimated_currency,
        rates.effective_cost_per_gb_second,
        -- A rate is a DOUBLE: what it says beyond 12 decimals is noise, and would stand there as a difference.
        cast(cast({{ as_amount(
            'counted.gb_seconds * rates.effective_cost_per_gb_second'
            ~ ' + cast(counted.invocations as double) * coalesce(rates.effective_cost_per_request, 0)'
        ) }} as decimal(30, 12)) as decimal(38, 18)) as estimated_cost
    from counted
    left join billed_rates as rates
        on
            counted.month = rates.month
            and counted.service_provider_name = rates.service_provider_name
            and counted.billing_account_id = rates.billing_account_id
            and rates.currency_rank = 1
),

paired as (
    select
        coalesce(billed.month, estimated.month) as month,
        coalesce(billed.service_provider_name, estimated.service_provider_name) as service_provider_name,
        coalesce(billed.billing_account_id, estimated.billing_account_id) as billing_account_id,
        coalesce(billed.function_name, estimated.function_name) as function_name,
        coalesce(billed.resource_id, estimated.resource_id) as resource_id,
        billed.service_name,
        billed.billing_currency,
        billed.billed_cost,
        billed.effective_cost,
        billed.gb_seconds as billed_gb_seconds,
        billed.requests as billed_requests,
        estimated.invocations,
        estimated.failed_invocations,
        estimated.cold_starts,
        estimated.gb_seconds,
        estimated.init_gb_seconds,
        estimated.spare_gb_seconds,
        estimated.memory_size_mb,
        estimated.max_memory_used_mb,
        estimated.effective_cost_per_gb_second,
        estimated.estimated_currency,
        estimated.estimated_cost
    from billed
    full outer join estimated
        on
            billed.month = estimated.month
            and billed.service_provider_name = estimated.service_provider_name
            and billed.billing_account_id = estimated.billing_account_id
            and billed.function_name = estimated.function_name
            and coalesce(billed.resource_id, '') = coalesce(estimated.resource_id, '')
            and billed.ordinal = estimated.ordinal
)

select
    month,
    service_provider_name,
    billing_account_id,
    function_name,
    resource_id,
    service_name,
    billing_currency,
    invocations,
    failed_invocations,
    cold_starts,
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
