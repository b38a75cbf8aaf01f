-- AWS Lambda's REPORT lines: text logs, CloudWatch subscription batches and exported log events → function runs.
-- One REPORT in, one invocation out; the other lines of a log are passed over, and nothing else of it is kept.
-- dataset: function_run
-- formats: lines, json
-- records: logEvents > events
-- line: ^(?:(?P<timestamp>\d{4}-\d\d-\d\d[T ][0-9:.]+(?:Z|[+-]\d\d:?\d\d)?)\s+)?(?:(?P<stream>\d{4}/\d\d/\d\d/\S+)\s+)?(?P<message>REPORT RequestId: .*|\{.*"platform\.report".*\})\s*$
-- rows: message like 'REPORT RequestId: %' or message like '{%"platform.report"%'
-- needs: timestamp
-- bucket: row(request_id, usage_start)
-- account: coalesce(owner, getvariable('account'), 'default')
-- month: strftime(coalesce(coalesce(make_timestamptz(try_cast("timestamp" as bigint) * 1000), try_cast("timestamp" as timestamptz)) - to_microseconds(cast(1000 * coalesce(try_cast(regexp_extract(message, '(?:RequestId: \S+?(?:\s|\\t)+Duration: |"durationMs":\s*)([0-9.]+)', 1) as decimal(38, 3)), 0) as bigint)), try_cast(regexp_extract(x_source_file, '20\d\d-\d\d-\d\d') as timestamptz)), '%Y-%m')
-- origin: usage_start from timestamp
-- origin: usage_end from timestamp
-- origin: function_name from x_source_file
-- wanted: usage_start as the time of each line, as `aws logs tail` writes it, or a file named by its day, such as aws-lambda-checkout.2026-10-31.log
-- wanted: usage_end as the time of each line, as `aws logs tail` writes it, or a file named by its day, such as aws-lambda-checkout.2026-10-31.log
-- wanted: function_name as a log group /aws/lambda/<function>, or a file or folder named aws-lambda-<function>, such as aws-lambda-checkout.2026-10-31.log
-- quirk: Columns are separated by tabs, by spaces or, in copied logs, by the two characters \t; an XRAY line may follow.
-- quirk: A REPORT is written when the invocation ends, so the invocation began its duration earlier.
-- quirk: Only a cold start (or a restored snapshot) has an init duration; it is kept apart from the duration.
-- quirk: A duration longer than the one billed is an invocation that was stopped at its timeout, where no status says so.
-- quirk: The text does not name the function: the log group, a shared group's log stream, or the file's name does.
-- quirk: Lines without a time in a file named by a day belong to that day.
-- quirk: A line that was copied twice counts once; a retry has the same request and its own time, and counts.
-- not covered: The same invocations delivered as REPORT lines and as platform reports or Logs Insights results too: they would count twice.
-- not covered: The function's ARN on the bill: a log names neither region nor partition.
create table raw (
    message varchar not null,
    "timestamp" varchar,                                                -- epoch milliseconds, or a time as text
    log_group varchar, stream varchar, owner varchar
);
with reports as (
    select
        *,
        -- A platform report is the same facts as JSON.
        case when message like '{%' then cast(message as json) end as platform,
        regexp_replace(regexp_replace(message, '\\[tn]', ' ', 'g'), '\s+', ' ', 'g') as text,
        coalesce(
            make_timestamptz(try_cast("timestamp" as bigint) * 1000), try_cast("timestamp" as timestamptz)
        ) as ended,
        try_cast(regexp_extract(x_source_file, '20\d\d-\d\d-\d\d') as timestamptz) as day,
        coalesce(
            nullif(regexp_extract(log_group, '/aws/lambda/([^/]+)$', 1), ''),
            nullif(regexp_extract(stream, '^\d{4}/\d\d/\d\d/([A-Za-z0-9_-]+)\[', 1), ''),
            nullif(regexp_extract(x_source_file, '(?:^|/)aws[-/]lambda[-/]([A-Za-z0-9_-]+)', 1), '')
        ) as function_name
    from raw
),
measured as (
    select
        *,
        coalesce(platform ->> '$.record.requestId', regexp_extract(text, 'RequestId: (\S+)', 1)) as request_id,
        cast(coalesce(
            platform ->> '$.record.metrics.durationMs', nullif(regexp_extract(text, 'RequestId: \S+ Duration: (\S+) ms', 1), '')
        ) as decimal(38, 18)) as duration,
        cast(coalesce(
            platform ->> '$.record.metrics.billedDurationMs', nullif(regexp_extract(text, ' Billed Duration: (\S+) ms', 1), '')
        ) as bigint) as billed,
        cast(coalesce(
            platform ->> '$.record.metrics.initDurationMs', platform ->> '$.record.metrics.restoreDurationMs',
            nullif(regexp_extract(text, ' (?:Init|Restore) Duration: (\S+) ms', 1), '')
        ) as decimal(38, 18)) as init,
        cast(coalesce(
            platform ->> '$.record.metrics.memorySizeMB', nullif(regexp_extract(text, ' Memory Size: (\S+) MB', 1), '')
        ) as bigint) as memory_size,
        cast(coalesce(
            platform ->> '$.record.metrics.maxMemoryUsedMB', nullif(regexp_extract(text, ' Max Memory Used: (\S+) MB', 1), '')
        ) as bigint) as memory_used,
        coalesce(platform ->> '$.record.status', nullif(regexp_extract(text, ' Status: (\S+)', 1), '')) as status
    from reports
),
invocations as (
    select
        coalesce(ended - to_microseconds(cast(1000 * coalesce(duration, 0) as bigint)), day) as usage_start,
        coalesce(ended, day + interval 1 day) as usage_end,
        coalesce(owner, getvariable('account'), 'default') as account_id, function_name, request_id,
        case when status is not null then cast(status <> 'success' as bigint) when duration > billed then 1 end as failed_invocations,
        cast(init is not null as bigint) as cold_starts, duration as duration_ms, billed as billed_duration_ms,
        init as init_duration_ms, memory_size as memory_size_mb, memory_used as max_memory_used_mb,
        min((x_source_file, x_source_row)) as source
    from measured
    group by all
)
select
    * exclude (source), 'AWS' as provider, 1 as invocations,
    source[1] as x_source_file, source[2] as x_source_row
from invocations
