-- Weights & Biases runs, as its API returns them (a list or NDJSON of runs, or the edges of a page) → training runs.
-- One run in, one row out.
-- dataset: training_run
-- formats: json
-- records: runs
-- bucket: run_id
-- account: coalesce(getvariable('account'), wandb_setting(config, 'account_id'), 'default')
-- month: strftime(try_cast(createdAt as timestamptz), '%Y-%m')
-- origin: status from state
-- origin: started_at from createdAt
-- wanted: status as running, pending, finished, failed, crashed, killed, preempting or preempted
-- quirk: Configuration, summary and metadata come as objects or as texts that hold JSON; a setting as itself or as its value.
-- quirk: A run ends its runtime after it began (_runtime of its summary, or _wandb.runtime); while it runs it has no end.
-- quirk: Older clients name one GPU, newer ones a list of them, as a text in brackets or as gpu_nvidia.
-- quirk: A time without a zone is UTC, as older clients write it.
-- quirk: W&B knows no account, instance or bill: the run's configuration account_id, team, use_case, model, instance_type, instance_count, billable_seconds, resource_id and is_spot say them, or nobody does.
-- quirk: Of several metrics the one that primary_metric names judges the run, else the first usual one.
-- quirk: A model is named as delivered: the base that is trained is not the model that is served under a like name.
-- not covered: User names, e-mail addresses, hosts and command lines, which are personal: they never enter the lake.
-- not covered: A metric's history; sweeps as parts of a whole.
create table raw (
    id varchar not null, state varchar not null, createdAt varchar not null, displayName varchar, "name" varchar,
    project varchar, config json, summaryMetrics json, metadata json
);
with states(delivered, status) as (values
    ('running', 'running'), ('pending', 'running'), ('finished', 'finished'), ('failed', 'failed'), ('crashed', 'failed'),
    ('killed', 'stopped'), ('preempting', 'running'), ('preempted', 'stopped')
),
runs as (
    select
        * exclude (config, metadata),
        config, json_unpacked(metadata) as machine, cast(json_unpacked(summaryMetrics) as map(varchar, varchar)) as summary,
        a_number(coalesce(
            json_unpacked(summaryMetrics) ->> '$._runtime', json_unpacked(summaryMetrics) ->> '$._wandb.runtime'
        )) as runtime
    from raw
)
select
    id as run_id, coalesce(displayName, "name") as run_name, project as experiment,
    coalesce(getvariable('account'), wandb_setting(config, 'account_id'), 'default') as account_id,
    wandb_setting(config, 'team') as team, wandb_setting(config, 'use_case') as use_case,
    coalesce(
        wandb_setting(config, 'model'), wandb_setting(config, 'model_name'), wandb_setting(config, '_name_or_path')
    ) as model,
    status,
    try_cast(createdAt as timestamptz) as started_at,
    case when status <> 'running' then try_cast(createdAt as timestamptz) + to_microseconds(cast(runtime * 1e6 as bigint)) end as ended_at,
    cast(wandb_setting(config, 'billable_seconds') as bigint) as billable_seconds,
    wandb_setting(config, 'instance_type') as instance_type,
    cast(wandb_setting(config, 'instance_count') as bigint) as instance_count,
    nullif(trim(coalesce(
        machine ->> '$.gpu_nvidia[0].name', machine ->> '$.gpu_devices[0].name',
        split_part(trim(machine ->> '$.gpu', '[]'), ',', 1)
    )), '') as gpu_model,
    coalesce(
        cast(machine ->> '$.gpu_count' as bigint), cast(json_array_length(machine -> '$.gpu_nvidia') as bigint)
    ) as gpu_count,
    wandb_setting(config, 'resource_id') as resource_id, cast(wandb_setting(config, 'is_spot') as boolean) as is_spot,
    cast(floor(a_number(coalesce(summary['epoch'], summary['train/epoch']))) as bigint) as epochs,
    judging_metric(numbers, wandb_setting(config, 'primary_metric')) as metric_name,
    a_number(summary[judging_metric(numbers, wandb_setting(config, 'primary_metric'))]) as metric_value,
    x_source_file, x_source_row
from (select *, list_filter(map_keys(summary), lambda k: a_number(summary[k]) is not null) as numbers from runs)
left join states on delivered = state
