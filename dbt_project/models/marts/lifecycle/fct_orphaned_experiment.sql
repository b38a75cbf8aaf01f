-- Experiments that are still billed although nothing has run for them and nobody has asked them for anything for as
-- many days as the plan allows, and what they have cost since. Orphaned where nobody answers for them either, idle
-- where somebody does; unknown where neither runs nor requests are delivered at all. Before any pool is split; one row
-- per subject and currency.
with experiments as (
    select
        subject_kind,
        subject,
        min(charge_date) as first_billed_on,
        max(charge_date) as last_billed_on,
        max(team) as team
    from {{ ref('int_subject_days_summed') }}
    where
        lifecycle = 'experiment'
        and usage_cost <> 0
        and (subject_kind = 'use_case' or use_case = 'unallocated')
    group by subject_kind, subject
),

named as (
    select
        subject_kind,
        subject,
        owner
    from {{ ref('stg_owner') }}
    union all
    select
        'use_case' as subject_kind,
        use_case as subject,
        owner
    from {{ ref('stg_experiment') }}
    where use_case is not null
),

owners as (
    select
        subject_kind,
        subject,
        max(owner) as owner
    from named
    group by subject_kind, subject
),

telemetry as (
    select
        (select count(*) from {{ ref('stg_training_run') }}) + (select count(*) from {{ ref('stg_ai_usage') }}) > 0
            as is_delivered
),

runs as (
    select
        runs.resource_id,
        runs.use_case,
        runs.experiment,
        case
            when runs.status = 'running' then data_date.data_through
            else cast(coalesce(runs.ended_at, runs.started_at) as date)
        end as active_on
    from {{ ref('stg_training_run') }} as runs
    cross join {{ ref('int_data_date_found') }} as data_date
),

-- What was asked for, and of which resource, key or use case.
requests as (
    select
        resource_id,
        cast(null as string) as api_key_id,
        cast(null as string) as use_case,
        cast(usage_start as date) as active_on
    from {{ ref('stg_function_run') }}
    where coalesce(invocations, 1) > 0
    union all
    select
        cast(null as string) as resource_id,
        api_key_id,
        cast(null as string) as use_case,
        cast(usage_start as date) as active_on
    from {{ ref('int_ai_usage_counted') }}
    where coalesce(requests, 1) > 0
    union all
    select
        cast(null as string) as resource_id,
        cast(null as string) as api_key_id,
        use_case,
        charge_date as active_on
    from {{ ref('int_usage_attributed') }}
    where use_case <> 'unallocated' and coalesce(requests, 1) > 0
),

named_activity as (
    select
        'run' as kind,
        resource_id,
        cast(null as string) as api_key_id,
        use_case,
        active_on
    from runs
    union all
    select
        'run' as kind,
        cast(null as string) as resource_id,
        cast(null as string) as api_key_id,
        {{ registered_name("'use_case'", 'runs.experiment') }} as use_case,
        active_on
    from runs
    union all
    select
        'request' as kind,
        resource_id,
        api_key_id,
        use_case,
        active_on
    from requests
),

-- Runs and invocations that name no use case have that of their resource on the bill.
resource_use_cases as (
    select distinct
        resource_id,
        use_case
    from {{ ref('int_charges_attributed') }}
    where use_case <> 'unallocated' and resource_id is not null
),

activity as (
    select
        'resource' as subject_kind,
        coalesce(resource_id, api_key_id) as subject,
        kind,
        active_on
    from named_activity
    union all
    select
        'use_case' as subject_kind,
        use_case as subject,
        kind,
        active_on
    from named_activity
    union all
    select
        'use_case' as subject_kind,
        resource_use_cases.use_case as subject,
        named_activity.kind,
        named_activity.active_on
    from named_activity
    inner join resource_use_cases on named_activity.resource_id = resource_use_cases.resource_id
),

last_activity as (
    select
        subject_kind,
        {{ identifier_key('subject') }} as subject_id,
        max(case when kind = 'run' then active_on end) as last_run_on,
        max(case when kind = 'request' then active_on end) as last_request_on,
        max(active_on) as last_active_on
    from activity
    where subject is not null
    group by subject_kind, {{ identifier_key('subject') }}
),

dated as (
    select
        experiments.*,
        activity.last_run_on,
        activity.last_request_on,
        coalesce(owners.owner, case when experiments.subject_kind = 'resource' then team_owners.owner end) as owner,
        telemetry.is_delivered,
        {{ limit_of('orphaned_experiment_days') }} as allowed_days,
        data_date.data_through,
        case
            when not telemetry.is_delivered then null
            when activity.last_active_on is null then experiments.first_billed_on
            else cast({{ dbt.dateadd('day', 1, 'activity.last_active_on') }} as date)
        end as idle_since
    from experiments
    cross join telemetry
    cross join {{ ref('int_data_date_found') }} as data_date
    left join last_activity as activity
        on
            experiments.subject_kind = activity.subject_kind
            and {{ identifier_key('experiments.subject') }} = activity.subject_id
    left join owners
        on experiments.subject_kind = owners.subject_kind and experiments.subject = owners.subject
    left join owners as team_owners
        on team_owners.subject_kind = 'team' and experiments.team = team_owners.subject
),

idle as (
    select
        *,
        {{ dbt.datediff('idle_since', 'data_through', 'day') }} + 1 as idle_days -- noqa: LT05
    from dated
    where
        {{ dbt.datediff('last_billed_on', 'data_through', 'day') }}
        < {{ limit_of('billed_lately_days') }}
),

costs as (
    select
        days.subject_kind,
        days.subject,
        days.billing_currency,
        sum(case when days.charge_date >= idle.idle_since then days.billed_cost else 0 end) as billed_cost,
        sum(case when days.charge_date >= idle.idle_since then days.effective_cost else 0 end) as effective_cost
    from {{ ref('int_subject_days_summed') }} as days
    inner join idle on days.subject_kind = idle.subject_kind and days.subject = idle.subject
    where days.lifecycle = 'experiment'
    group by days.subject_kind, days.subject, days.billing_currency
)

select
    idle.subject_kind,
    idle.subject,
    idle.team,
    case
        when not idle.is_delivered then 'unknown'
        when idle.owner is null then 'orphaned'
        else 'idle'
    end as status,
    idle.owner,
    idle.first_billed_on,
    idle.last_billed_on,
    idle.last_run_on,
    idle.last_request_on,
    idle.idle_since,
    cast(idle.idle_days as bigint) as idle_days,
    cast(idle.allowed_days as bigint) as allowed_days,
    costs.billing_currency,
    case when idle.is_delivered then cast(costs.billed_cost as decimal(38, 18)) end as billed_cost_since,
    case when idle.is_delivered then cast(costs.effective_cost as decimal(38, 18)) end as effective_cost_since,
    case when not idle.is_delivered then 'neither runs nor requests are delivered' end as missing_reason
from idle
inner join costs on idle.subject_kind = costs.subject_kind and idle.subject = costs.subject
where not idle.is_delivered or idle.idle_days >= idle.allowed_days
