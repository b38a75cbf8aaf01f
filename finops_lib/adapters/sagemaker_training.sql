-- Amazon SageMaker training jobs, as DescribeTrainingJob answers (documents, a list or NDJSON of them) → training runs.
-- One job in, one row out; a job that has not started costs nothing yet and is passed over.
-- dataset: training_run
-- formats: json
-- records: TrainingJobs
-- rows: TrainingStartTime is not null
-- bucket: run_id
-- account: split_part(TrainingJobArn, ':', 5)
-- month: strftime(second_or_time(TrainingStartTime), '%Y-%m')
-- origin: status from TrainingJobStatus
-- origin: started_at from TrainingStartTime
-- quirk: The job's ARN is its id on the bill: a name is unique only within an account and region.
-- quirk: Billable time is per instance: spot bills less than it trained; nothing is billable while a job runs.
-- quirk: Instances kept warm after the job are billed apart, as retained seconds.
-- quirk: With instance groups the counts add up, and the type is told only where all groups share it.
-- quirk: Where the service chose among preferred instances, the selected type and count hold.
-- quirk: Spot interruptions are the Interrupted transitions.
-- quirk: Times come as text, or in seconds from older command lines.
-- quirk: A model is named as delivered: the base that is trained is not the model that is served under a like name.
-- not covered: Team, use case and model, unless the document holds the job's Tags (ListTags) or ModelId among its hyperparameters.
-- not covered: Epochs completed: hyperparameters say only what was planned.
-- not covered: Summaries of ListTrainingJobs: they know neither instances nor billable time.
create table raw (
    TrainingJobArn varchar not null, TrainingJobName varchar not null, TrainingJobStatus varchar not null,
    ResourceConfig json not null, SecondaryStatus varchar, TrainingStartTime varchar, TrainingEndTime varchar,
    BillableTimeInSeconds bigint, EnableManagedSpotTraining boolean, SecondaryStatusTransitions json,
    FinalMetricDataList json, WarmPoolStatus json, HyperParameters json, ExperimentConfig json, Tags json
);
with states(delivered, status) as (values
    ('InProgress', 'running'), ('Stopping', 'running'), ('Completed', 'finished'), ('Failed', 'failed'), ('Stopped', 'stopped')
),
jobs as (
    select
        * exclude (HyperParameters),
        json_pairs(Tags) as tag, json_pairs(FinalMetricDataList) as metric, json_pairs(HyperParameters) as parameter,
        cast(json_extract_string(ResourceConfig, '$.InstanceGroups[*].InstanceType') as varchar[]) as group_types,
        cast(json_extract_string(ResourceConfig, '$.InstanceGroups[*].InstanceCount') as bigint[]) as group_counts
    from raw
)
select
    TrainingJobArn as run_id, TrainingJobName as run_name, ExperimentConfig ->> '$.ExperimentName' as experiment,
    split_part(TrainingJobArn, ':', 5) as account_id,
    tag['team'] as team, tag['use_case'] as use_case,
    coalesce(tag['model'], trim(parameter['ModelId'], '"'), trim(parameter['model_id'], '"')) as model,
    coalesce(states.status, secondary.status) as status,
    second_or_time(TrainingStartTime) as started_at, second_or_time(TrainingEndTime) as ended_at,
    BillableTimeInSeconds as billable_seconds,
    cast(WarmPoolStatus ->> '$.ResourceRetainedBillableTimeInSeconds' as bigint) as retained_seconds,
    coalesce(
        ResourceConfig ->> '$.SelectedInstanceType', ResourceConfig ->> '$.InstanceType',
        case when len(list_distinct(group_types)) = 1 then group_types[1] end
    ) as instance_type,
    coalesce(
        cast(ResourceConfig ->> '$.SelectedInstanceCount' as bigint), cast(ResourceConfig ->> '$.InstanceCount' as bigint),
        cast(list_sum(group_counts) as bigint)
    ) as instance_count,
    TrainingJobArn as resource_id, EnableManagedSpotTraining as is_spot,
    len(list_filter(cast(SecondaryStatusTransitions as json[]), lambda t: t ->> '$.Status' = 'Interrupted')) as spot_interruptions,
    judging_metric(map_keys(metric), tag['primary_metric']) as metric_name,
    a_number(metric[judging_metric(map_keys(metric), tag['primary_metric'])]) as metric_value,
    x_source_file, x_source_row
from jobs
left join states on states.delivered = TrainingJobStatus
left join states as secondary on secondary.delivered = SecondaryStatus
