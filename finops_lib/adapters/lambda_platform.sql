-- AWS Lambda's platform.report events, as the Telemetry API and JSON logging write them → function runs.
-- One report in, one invocation out; the other events are passed over.
-- dataset: function_run
-- formats: json
-- rows: "type" = 'platform.report'
-- needs: time, type, record
-- bucket: row(request_id, usage_start)
-- account: coalesce(getvariable('account'), 'default')
-- month: strftime(invocation_began(instant("time"), cast(json_extract_string(record, '$.metrics.durationMs') as decimal(38, 18)), x_source_file), '%Y-%m')
-- origin: usage_start from time
-- origin: function_name from x_source_file
-- wanted: function_name as a file or folder named aws-lambda-<function>, such as aws-lambda-checkout.2026-10-31.ndjson
-- quirk: The report is written when the invocation ends, so the invocation began its duration earlier.
-- quirk: Managed instances bill no duration: it stays empty, which is not 0.
-- quirk: Only a cold start (or a restored snapshot) has an init duration.
-- quirk: Every status but success is a failed invocation.
-- quirk: An event names no function: the file's name does.
-- quirk: An event that was delivered twice counts once; a retry has the same request and other figures, and counts.
-- not covered: Invocations delivered as platform reports and as REPORT lines or Logs Insights results too count twice.
-- not covered: The function's ARN on the bill: the events name neither account nor region.
create table raw ("time" varchar, "type" varchar, record json);      -- lines of the application itself have none of them
with found as (
    select
        *,
        record -> '$.metrics' as metrics,
        cast(record ->> '$.metrics.durationMs' as decimal(38, 18)) as duration_ms,
        coalesce(record ->> '$.metrics.initDurationMs', record ->> '$.metrics.restoreDurationMs') as init
    from raw
),
invocations as (
    select
        invocation_began(instant("time"), duration_ms, x_source_file) as usage_start, instant("time") as usage_end,
        named_function(x_source_file) as function_name,
        record ->> '$.requestId' as request_id,
        cast(record ->> '$.status' <> 'success' as bigint) as failed_invocations,
        cast(init is not null as bigint) as cold_starts,
        duration_ms, cast(init as decimal(38, 18)) as init_duration_ms,
        cast(metrics ->> '$.billedDurationMs' as bigint) as billed_duration_ms,
        cast(metrics ->> '$.memorySizeMB' as bigint) as memory_size_mb,
        cast(metrics ->> '$.maxMemoryUsedMB' as bigint) as max_memory_used_mb,
        min((x_source_file, x_source_row)) as source
    from found
    group by all
)
select
    * exclude (source), 'AWS' as provider, coalesce(getvariable('account'), 'default') as account_id, 1 as invocations,
    source[1] as x_source_file, source[2] as x_source_row
from invocations
