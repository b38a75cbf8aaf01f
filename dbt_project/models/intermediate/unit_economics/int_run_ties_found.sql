-- Which training run a subject of the bill belongs to: the run whose own resource it is, else the run that its tags
-- name. A resource that two runs share is neither's. An account is the billing account or the account below it, as
-- trackers that live in the cloud name the latter.
with subjects as (
    select distinct
        subject_key,
        billing_account_id,
        sub_account_id,
        resource_id,
        tags
    from {{ ref('int_charges_summed') }}
    where resource_id is not null or lower(tags) like '%run%'
),

placed as (
    select
        subject_key,
        billing_account_id as account_id,
        resource_id,
        tags
    from subjects
    union all
    select
        subject_key,
        sub_account_id as account_id,
        resource_id,
        tags
    from subjects
    where sub_account_id <> billing_account_id
),

tagged as (
    select distinct tags
    from subjects
    where lower(tags) like '%run%'
),

tag_entries as (
    {{ json_entries('tagged', 'tags') }}
),

keyed as (
    select
        tags,
        {{ tag_key('entry_key') }} as run_key,
        entry_value as run_id
    from tag_entries
),

run_tags as (
    select distinct
        tags,
        run_id
    from keyed
    where run_key in ('runid', 'trainingrun', 'trainingrunid', 'mlflowrunid', 'mlflow.runid', 'wandbrunid')
),

resources as (
    select
        account_id,
        resource_id,
        max(run_id) as run_id
    from {{ ref('stg_training_run') }}
    where resource_id is not null
    group by account_id, resource_id
    having count(*) = 1
),

candidates as (
    select
        placed.subject_key,
        resources.account_id,
        resources.run_id,
        1 as tie_rank,
        'resource' as tie
    from placed
    inner join resources on placed.account_id = resources.account_id and placed.resource_id = resources.resource_id
    union all
    select
        placed.subject_key,
        runs.account_id,
        runs.run_id,
        2 as tie_rank,
        'tag' as tie
    from placed
    inner join run_tags on placed.tags = run_tags.tags
    inner join {{ ref('stg_training_run') }} as runs
        on placed.account_id = runs.account_id and run_tags.run_id = runs.run_id
),

ranked as (
    select
        *,
        row_number() over (partition by subject_key order by tie_rank, account_id, run_id) as candidate_rank
    from candidates
)

select
    subject_key,
    account_id,
    run_id,
    tie
from ranked
where candidate_rank = 1
