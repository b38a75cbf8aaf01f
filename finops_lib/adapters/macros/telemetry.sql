-- Times of telemetry.  A line of a log says when it was written, as text or in milliseconds since 1970; where it does
--   not, a file named by a day says the day.
create macro instant(written) as coalesce(
    make_timestamptz(try_cast(written as bigint) * 1000), try_cast(written as timestamptz)
);

create macro named_day(file) as try_cast(regexp_extract(file, '20\d\d-\d\d-\d\d') as timestamptz);

-- An invocation is reported when it ends: it began its duration earlier.
create macro invocation_began(ended, duration_ms, file) as coalesce(
    ended - to_microseconds(cast(1000 * coalesce(duration_ms, 0) as bigint)), named_day(file)
);

-- Duration in a REPORT line or in a platform report; copied logs hold the two characters \t where a tab was.
create macro reported_duration_ms(message) as try_cast(regexp_extract(
    message, '(?:RequestId: \S+?(?:\s|\\t)+Duration: |"durationMs":\s*)([0-9.]+)', 1
) as decimal(38, 18));

-- The function that a log is of, by its file's name: aws-lambda-<function>.2026-10-31.log or aws/lambda/<function>/….
create macro named_function(file) as nullif(regexp_extract(file, '(?:^|/)aws[-/]lambda[-/]([A-Za-z0-9_-]+)', 1), '');

-- When a sample was taken: its own time, in seconds (Prometheus' API) or milliseconds (its text), an instant query's
--   pair of time and value, or the time in the file's name, which is UTC: node-7.2026-10-31T12-00-00Z.prom.
create macro sample_seconds(written, value) as coalesce(
    try_cast(written as decimal(38, 6)), try_cast(regexp_extract(value, '^\[([0-9.]+),', 1) as decimal(38, 6))
);

create macro named_instant(file) as try_cast(regexp_replace(
    regexp_extract(file, '20\d\d-?\d\d-?\d\dT\d\d[-:]?\d\d[-:]?\d\d'),
    '^(\d{4})-?(\d\d)-?(\d\d)T(\d\d)[-:]?(\d\d)[-:]?(\d\d)$', '\1-\2-\3 \4:\5:\6'
) as timestamptz);

create macro sampled(written, value, file) as coalesce(
    make_timestamptz(cast(
        sample_seconds(written, value) * case when sample_seconds(written, value) > 1e11 then 1000 else 1000000 end as bigint
    )),
    named_instant(file)
);
