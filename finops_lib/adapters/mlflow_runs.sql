-- MLflow runs, as search_runs returns them (the REST API's pages, or the client's runs as a list) → training runs.
-- One run in, one row out.
-- dataset: training_run
-- formats: json
-- records: runs
-- holds: info ->> '$.run_id' is not null
-- bucket: run_id
-- account: coalesce(getvariable('account'), json_pairs(data -> '$.tags')['account_id'], 'default')
-- month: strftime(make_timestamptz(try_cast(info ->> '$.start_time' as bigint) * 1000), '%Y-%m')
-- origin: status from info ->> '$.status'
-- origin: started_at from info ->> '$.start_time'
-- wanted: status as RUNNING, SCHEDULED, FINISHED, FAILED or KILLED
-- quirk: Metrics are last values only; parameters and tags are all text; the REST API lists them as keys and values.
-- quirk: A run that is still running has no end.
-- quirk: A deleted run was paid for all the same: it stays a run.
-- quirk: MLflow knows no account, instance or bill: the run's own tags account_id, team, use_case, model, instance_type, instance_count, billable_seconds, resource_id, is_spot, gpu_type and gpu_count say them, or nobody does.
-- quirk: Of several metrics the one that the tag primary_metric names judges the run, else the first usual one.
-- quirk: Epochs are those completed: the last value of the metric epoch, never a parameter that was planned.
-- quirk: A model is named as delivered: the base that is trained is not the model that is served under a like name.
-- not covered: User names, source names and artifact paths, which are personal: they never enter the lake.
-- not covered: A metric's history, nested runs as parts of their parent, and the CSV that `mlflow experiments csv` writes.
create table raw (info json not null, data json not null);
with states(delivered, status) as (values
    ('RUNNING', 'running'), ('SCHEDULED', 'running'), ('FINISHED', 'finished'), ('FAILED', 'failed'), ('KILLED', 'stopped')
),
runs as (
    select
        *, json_pairs(data -> '$.metrics') as metric, json_pairs(data -> '$.params') as param,
        json_pairs(data -> '$.tags') as tag
    from raw
)
select
    info ->> '$.run_id' as run_id,
    coalesce(info ->> '$.run_name', tag['mlflow.runName']) as run_name,
    coalesce(tag['experiment'], info ->> '$.experiment_id') as experiment,
    coalesce(getvariable('account'), tag['account_id'], 'default') as account_id,
    tag['team'] as team, tag['use_case'] as use_case,
    coalesce(tag['model'], param['model'], param['model_name'], param['base_model']) as model,
    status,
    make_timestamptz(try_cast(info ->> '$.start_time' as bigint) * 1000) as started_at,
    make_timestamptz(try_cast(info ->> '$.end_time' as bigint) * 1000) as ended_at,
    cast(tag['billable_seconds'] as bigint) as billable_seconds,
    tag['instance_type'] as instance_type, cast(tag['instance_count'] as bigint) as instance_count,
    tag['gpu_type'] as gpu_model, cast(tag['gpu_count'] as bigint) as gpu_count,
    tag['resource_id'] as resource_id, cast(tag['is_spot'] as boolean) as is_spot,
    cast(floor(a_number(metric['epoch'])) as bigint) as epochs,
    judging_metric(map_keys(metric), tag['primary_metric']) as metric_name,
    a_number(metric[judging_metric(map_keys(metric), tag['primary_metric'])]) as metric_value,
    x_source_file, x_source_row
from runs
left join states on delivered = info ->> '$.status'
