-- The last day on which anything ran for an experiment, and on which anybody asked it for anything.
-- Runs and invocations that name no use case have that of their resource on the bill.
with run_days as (
    select
        run_id,
        resource_id,
        use_case,
        experiment,
        cast(coalesce(ended_at, started_at) as date) as run_date,
        status = 'running' as is_running
    from {{ ref('stg_training_run') }}
),

dated_runs as (
    select
        run_days.resource_id,
        run_days.use_case,
        run_days.experiment,
        case when run_days.is_running then data_date.data_through else run_days.run_date end as active_on
    from run_days
    cross join {{ ref('int_data_date_found') }} as data_date
),

invoked as (
    select
        resource_id,
        max(cast(usage_start as date)) as active_on
    from {{ ref('stg_function_run') }}
    where resource_id is not null and coalesce(invocations, 1) > 0
    group by resource_id
),

resource_use_cases as (
    select distinct
        resource_id,
        use_case
    from {{ ref('int_charges_attributed') }}
    where
        use_case <> 'unallocated'
        and resource_id in (
            select dated_runs.resource_id from dated_runs
            union distinct
            select invoked.resource_id from invoked
        )
),

activity as (
    select
        'use_case' as subject_kind,
        use_case as subject,
        'run' as kind,
        active_on
    from dated_runs
    union all
    select
        'use_case' as subject_kind,
        {{ registered_name("'use_case'", 'dated_runs.experiment') }} as subject,
        'run' as kind,
        active_on
    from dated_runs
    union all
    select
        'use_case' as subject_kind,
        resource_use_cases.use_case as subject,
        'run' as kind,
        dated_runs.active_on
    from dated_runs
    inner join resource_use_cases on dated_runs.resource_id = resource_use_cases.resource_id
    union all
    select
        'resource' as subject_kind,
        {{ identifier_key('resource_id') }} as subject,
        'run' as kind,
        active_on
    from dated_runs
    union all
    select
        'use_case' as subject_kind,
        resource_use_cases.use_case as subject,
        'request' as kind,
        invoked.active_on
    from invoked
    inner join resource_use_cases on invoked.resource_id = resource_use_cases.resource_id
    union all
    select
        'resource' as subject_kind,
        {{ identifier_key('resource_id') }} as subject,
        'request' as kind,
        active_on
    from invoked
    union all
    select
        'use_case' as subject_kind,
        attributed.use_case as subject,
        'request' as kind,
        requests.charge_date as active_on
    from {{ ref('int_requests_summed') }} as requests
    inner join {{ ref('int_subjects_attributed') }} as attributed
        on requests.subject_key = attributed.subject_key and requests.rules_as_of = attributed.rules_as_of
    where coalesce(requests.requests, 1) > 0
    union all
    select
        'resource' as subject_kind,
        {{ identifier_key('x_api_key_id') }} as subject,
        'request' as kind,
        charge_date as active_on
    from {{ ref('int_requests_summed') }}
    where coalesce(requests, 1) > 0
)

select
    subject_kind,
    subject,
    max(case when kind = 'run' then active_on end) as last_run_on,
    max(case when kind = 'request' then active_on end) as last_request_on,
    max(active_on) as last_active_on
from activity
where subject is not null
group by subject_kind, subject
