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
