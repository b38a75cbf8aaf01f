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
-- month: strftime(invocation_began(instant("timestamp"), reported_duration_ms(message), x_source_file), '%Y-%m')
-- origin: usage_start from timestamp
-- origin: usage_end from timestamp
-- origin: function_name from x_source_file
-- wanted: usage_start as the time of each line, as `aws logs tail` writes it, or a file named by its day, such as aws-lambda-checkout.2026-10-31.log
-- wanted: function_name as a log group /aws/lambda/<function>, or a file or folder named aws-lambda-<function>, such as aws-lambda-checkout.2026-10-31.log
-- quirk: Columns are separated by tabs, by spaces or, in copied logs, by the two characters \t; an XRAY line may follow.
-- quirk: A REPORT is written when the invocation ends, so the invocation began its duration earlier.
-- quirk: Only a cold start (or a restored snapshot) has an init duration; it is kept apart from the duration.
-- quirk: A duration longer than the one billed is an invocation stopped at its timeout, where no status says so.
-- quirk: The text does not name the function: the log group, a shared group's log stream, or the file's name does.
-- quirk: Lines without a time in a file named by a day belong to that day.
-- quirk: A line that was copied twice counts once; a retry has the same request and its own time, and counts.
-- not covered: Invocations delivered as REPORT lines and as platform reports or Logs Insights results too count twice.
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
        case when message like '{%' then cast(message as json) end -> '$.record' as platform,
        regexp_replace(regexp_replace(message, '\\[tn]', ' ', 'g'), '\s+', ' ', 'g') as text
    from raw
),
found as (
    select
        *,
        coalesce(platform ->> '$.requestId', regexp_extract(text, 'RequestId: (\S+)', 1)) as request_id,
        coalesce(platform ->> '$.status', nullif(regexp_extract(text, ' Status: (\S+)', 1), '')) as status,
        coalesce(platform ->> '$.metrics.billedDurationMs', regexp_extract(text, ' Billed Duration: (\S+) ms', 1)) as billed,
        coalesce(
            platform ->> '$.metrics.initDurationMs', platform ->> '$.metrics.restoreDurationMs',
            regexp_extract(text, ' (?:Init|Restore) Duration: (\S+) ms', 1)
        ) as init,
        coalesce(platform ->> '$.metrics.memorySizeMB', regexp_extract(text, ' Memory Size: (\S+) MB', 1)) as memory_size,
        coalesce(
            platform ->> '$.metrics.maxMemoryUsedMB', regexp_extract(text, ' Max Memory Used: (\S+) MB', 1)
        ) as memory_used
    from reports
),
invocations as (
    select
        invocation_began(instant("timestamp"), reported_duration_ms(message), x_source_file) as usage_start,
        coalesce(instant("timestamp"), named_day(x_source_file) + interval 1 day) as usage_end,
        coalesce(owner, getvariable('account'), 'default') as account_id,
        coalesce(
            nullif(regexp_extract(log_group, '/aws/lambda/([^/]+)$', 1), ''),
            nullif(regexp_extract(stream, '^\d{4}/\d\d/\d\d/([A-Za-z0-9_-]+)\[', 1), ''),
            named_function(x_source_file)
        ) as function_name,
        request_id,
        case
            when status is not null then cast(status <> 'success' as bigint)
            when reported_duration_ms(message) > cast(nullif(billed, '') as bigint) then 1
        end as failed_invocations,
        cast(nullif(init, '') is not null as bigint) as cold_starts,
        reported_duration_ms(message) as duration_ms,
        cast(nullif(billed, '') as bigint) as billed_duration_ms,
        cast(nullif(init, '') as decimal(38, 18)) as init_duration_ms,
        cast(nullif(memory_size, '') as bigint) as memory_size_mb,
        cast(nullif(memory_used, '') as bigint) as max_memory_used_mb,
        min((x_source_file, x_source_row)) as source
    from found
    group by all
)
select * exclude (source), 'AWS' as provider, 1 as invocations, source[1] as x_source_file, source[2] as x_source_row
from invocations
