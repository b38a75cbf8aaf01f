-- Each training run beside the best earlier run of its experiment by the same metric, and how it ended.
-- A point is a hundredth where the experiment's values lie between -1 and 1, as shares do, and a whole unit elsewhere.
with directed as (
    select
        *,
        {{ lower_is_better('metric_name') }} as is_lower_better,
        max(abs(metric_value)) over (partition by account_id, experiment, metric_name) as largest_value
    from {{ ref('stg_training_run') }}
),

ordered as (
    select
        *,
        case when largest_value <= 1 then 100 else 1 end as points_per_unit,
        case
            when experiment is null then null
            when is_lower_better
                then min(metric_value) over (
                    partition by account_id, experiment, metric_name order by started_at, run_id
                    rows between unbounded preceding and 1 preceding
                )
            else max(metric_value) over (
                partition by account_id, experiment, metric_name order by started_at, run_id
                rows between unbounded preceding and 1 preceding
            )
        end as previous_best_value
    from directed
)

select
    ordered.*,
    case
        when ordered.status <> 'running' then ordered.status
        when
            {{ dbt.datediff('cast(ordered.started_at as date)', 'data_dates.data_through', 'day') }}
            > {{ limit_of('abandoned_run_days') }}
            then 'abandoned'
        else 'running'
    end as result,
    case
        when ordered.metric_value is not null and not ordered.is_lower_better
            then ordered.metric_value * ordered.points_per_unit
    end as points,
    (ordered.metric_value - ordered.previous_best_value) * ordered.points_per_unit
    * case when ordered.is_lower_better then -1 else 1 end as points_gained,
    case
        when ordered.is_spot and ordered.billable_seconds is not null
            then {{ dbt.datediff('ordered.started_at', 'ordered.ended_at', 'second') }} - ordered.billable_seconds -- noqa: LT05
    end as spot_wait_seconds
from ordered
cross join {{ ref('int_data_date_found') }} as data_dates
