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

-- A time as text, or in seconds since 1970.
create macro second_or_time(written) as coalesce(
    make_timestamptz(cast(try_cast(written as decimal(38, 6)) * 1000000 as bigint)), try_cast(written as timestamptz)
);

-- Names and values as a map, delivered as an object or as a list of keys and values.
create macro json_pairs(pairs) as case
    when json_type(pairs) = 'ARRAY' then map_from_entries(list_transform(
        cast(pairs as json[]),
        lambda p: struct_pack(
            k := coalesce(p ->> '$.key', p ->> '$.Key', p ->> '$.MetricName'), v := coalesce(p ->> '$.value', p ->> '$.Value')
        )
    ))
    else cast(pairs as map(varchar, varchar))
end;

-- JSON that an API delivered as a text that holds JSON.
create macro json_unpacked(packed) as case when json_type(packed) = 'VARCHAR' then cast(packed ->> '$' as json) else packed end;

create macro metric_spelled(name) as regexp_replace(lower(name), '[^a-z0-9]+', '_', 'g');

-- The metric by which a run is judged: the one it names, else the first of the usual ones, else its only one that is
--   not the machine's or the tracker's.
create macro judging_metric(names, named) as coalesce(
    list_filter(names, lambda n: lower(n) = lower(named))[1],
    list_filter(
        names,
        lambda n: metric_spelled(n) = list_filter(
            [
                'eval_loss', 'validation_loss', 'val_loss', 'test_loss', 'eval_accuracy', 'validation_accuracy',
                'val_accuracy', 'test_accuracy', 'loss', 'train_loss', 'training_loss', 'accuracy'
            ],
            lambda u: list_contains(list_transform(names, lambda m: metric_spelled(m)), u)
        )[1]
    )[1],
    case
        when len(list_filter(names, lambda n: n not like 'system/%' and n not like '\_%' escape '\')) = 1
            then list_filter(names, lambda n: n not like 'system/%' and n not like '\_%' escape '\')[1]
    end
);

create macro a_number(written) as case when not isnan(try_cast(written as double)) then try_cast(written as double) end;

-- A setting of a W&B configuration: itself, or its value.
create macro wandb_setting(config, key) as coalesce(
    json_unpacked(config) ->> ('$."' || key || '".value'),
    case when json_type(json_unpacked(config), '$."' || key || '"') <> 'OBJECT' then json_unpacked(config) ->> ('$."' || key || '"') end
);
