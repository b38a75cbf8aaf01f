-- CloudWatch Logs Insights results over Lambda's REPORT fields (CSV or JSON of the console) → function runs.
-- One REPORT in, one invocation out; lines without a duration are passed over.
-- dataset: function_run
-- formats: csv, json
-- rows: duration is not null
-- needs: request_id, duration, billed_duration
-- bucket: row(request_id, usage_start)
-- account: coalesce(nullif(regexp_extract(log, '^(\d{12}):', 1), ''), getvariable('account'), 'default')
-- month: strftime(invocation_began(instant("timestamp"), duration, x_source_file), '%Y-%m')
-- origin: usage_start from timestamp
-- origin: function_name from log
-- wanted: function_name as the field @log, or a file named aws-lambda-<function>, such as aws-lambda-checkout.csv
-- quirk: Memory is in decimal bytes: 1024000000 is 1024 MB.
-- quirk: A time without a zone is UTC, as Logs Insights shows it; it is the invocation's end.
-- quirk: Only a cold start has an init duration.
-- quirk: A duration longer than the one billed is an invocation stopped at its timeout; other failures are not told.
-- not covered: Aggregated queries (stats … by bin()): fetch the fields @timestamp, @requestId, @duration, @billedDuration, @initDuration, @memorySize, @maxMemoryUsed, @log.
-- not covered: The nested field and value pairs of `aws logs get-query-results`: save the console's CSV or JSON.
-- not covered: Invocations delivered as Logs Insights results and as REPORT lines or platform reports too count twice.
create table raw (
    "timestamp" varchar not null, request_id varchar, duration decimal(38, 18), billed_duration decimal(38, 18),
    init_duration decimal(38, 18), memory_size double, max_memory_used double, log varchar
);
with invocations as (
    select
        invocation_began(instant("timestamp"), duration, x_source_file) as usage_start,
        instant("timestamp") as usage_end,
        coalesce(nullif(regexp_extract(log, '^(\d{12}):', 1), ''), getvariable('account'), 'default') as account_id,
        coalesce(nullif(regexp_extract(log, '/aws/lambda/([^/]+)$', 1), ''), named_function(x_source_file)) as function_name,
        request_id,
        case when duration > billed_duration then 1 end as failed_invocations,
        cast(init_duration is not null as bigint) as cold_starts,
        duration as duration_ms, cast(billed_duration as bigint) as billed_duration_ms, init_duration as init_duration_ms,
        cast(memory_size / 1e6 as bigint) as memory_size_mb, cast(max_memory_used / 1e6 as bigint) as max_memory_used_mb,
        min((x_source_file, x_source_row)) as source
    from raw
    group by all
)
select * exclude (source), 'AWS' as provider, 1 as invocations, source[1] as x_source_file, source[2] as x_source_row
from invocations
