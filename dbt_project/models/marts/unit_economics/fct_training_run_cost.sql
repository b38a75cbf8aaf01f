-- What each training run cost: as billed where the bill names its resource or its tag, else its hours at what such
-- hours cost that month, else unknown, which is not nothing. A resource that two runs share is not the bill of either.
-- A run stands beside the best earlier one of its experiment by the same metric. A point is a hundredth where the
-- experiment's values lie between -1 and 1, as shares do, and a whole unit elsewhere.
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
),

runs as (
    select
        ordered.*,
        {{ month_text('cast(ordered.started_at as date)') }} as month,
        case
            when ordered.status <> 'running' then ordered.status
            when
                {{ dbt.datediff('cast(ordered.started_at as date)', 'data_dates.data_through', 'day') }}
                > {{ limit_of('abandoned_run_days') }}
                then 'abandoned'
            else 'running'
        end as result,
        case
            when not ordered.is_lower_better then ordered.metric_value * ordered.points_per_unit
        end as points,
        (ordered.metric_value - ordered.previous_best_value) * ordered.points_per_unit
        * case when ordered.is_lower_better then -1 else 1 end as points_gained,
        case
            when ordered.is_spot and ordered.billable_seconds is not null
                then {{ dbt.datediff('ordered.started_at', 'ordered.ended_at', 'second') }} - ordered.billable_seconds -- noqa: LT05
        end as spot_wait_seconds
    from ordered
    cross join {{ ref('int_data_date_found') }} as data_dates
),

-- The charges of a run's own resource and those that its tag is on.
bill as (
    select
        ties.account_id,
        ties.run_id,
        charges.billing_currency,
        min(ties.tie) as tie,
        sum(charges.billed_cost) as billed_cost,
        sum(charges.effective_cost) as effective_cost,
        sum(charges.list_cost) as list_cost
    from {{ ref('int_charges_summed') }} as charges
    inner join {{ ref('int_run_ties_found') }} as ties on charges.subject_key = ties.subject_key
    group by ties.account_id, ties.run_id, charges.billing_currency
),

priced as (
    select
        billing_account_id,
        {{ month_text('charge_date') }} as month,
        {{ json_text('sku_price_details', 'InstanceType') }} as instance_type,
        billing_currency,
        effective_cost,
        consumed_quantity
    from {{ ref('int_charges_by_day') }}
    where consumed_unit = 'Hours' and charge_category = 'Usage' and sku_price_details is not null
),

hours as (
    select
        billing_account_id,
        month,
        instance_type,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(consumed_quantity) as consumed_hours
    from priced
    where instance_type is not null
    group by billing_account_id, month, instance_type, billing_currency
    having sum(consumed_quantity) > 0
),

-- What an hour really cost, in the currency that billed most of them.
rates as (
    select
        *,
        {{ ratio('effective_cost', 'consumed_hours') }} as effective_cost_per_hour,
        row_number() over (
            partition by billing_account_id, month, instance_type
            order by consumed_hours desc, billing_currency asc
        ) as currency_rank
    from hours
),

costed as (
    select
        runs.*,
        bill.tie as bill_tie,
        coalesce(bill.billing_currency, rates.billing_currency) as billing_currency,
        case
            when bill.billing_currency is not null then bill.effective_cost
            else {{ as_amount(
                'cast(runs.billable_seconds as double) / 3600 * runs.instance_count * rates.effective_cost_per_hour'
            ) }}
        end as effective_cost,
        bill.billed_cost,
        bill.list_cost,
        bill.billing_currency is not null as is_billed
    from runs
    left join bill on runs.account_id = bill.account_id and runs.run_id = bill.run_id
    left join rates
        on
            runs.account_id = rates.billing_account_id
            and runs.month = rates.month
            and runs.instance_type = rates.instance_type
            and runs.billable_seconds is not null
            and runs.instance_count is not null
            and rates.currency_rank = 1
)

select
    run_id,
    account_id,
    run_name,
    experiment,
    coalesce(team, 'unallocated') as team,
    coalesce(use_case, 'unallocated') as use_case,
    coalesce(model, 'unknown') as model,
    status,
    result,
    started_at,
    ended_at,
    instance_type,
    instance_count,
    billable_seconds,
    is_spot,
    spot_interruptions,
    cast(spot_wait_seconds as bigint) as spot_wait_seconds,
    epochs,
    metric_name,
    metric_value,
    billing_currency,
    effective_cost,
    billed_cost,
    list_cost,
    case
        when is_billed then 'bill'
        when effective_cost is not null then 'rate'
        else 'unpriced'
    end as cost_basis,
    bill_tie,
    case when result in ('failed', 'stopped', 'abandoned') then effective_cost end as unfinished_cost,
    case when spot_interruptions > 0 then effective_cost end as interrupted_cost,
    sum(effective_cost) over (
        partition by {{ month_text('cast(started_at as date)') }}, billing_currency
    ) as month_cost,
    sum(case when result in ('failed', 'stopped', 'abandoned') then effective_cost end) over (
        partition by {{ month_text('cast(started_at as date)') }}, billing_currency
    ) as month_unfinished_cost,
    case when is_spot then {{ exact_difference('list_cost', 'effective_cost') }} end as below_list_cost,
    {{ ratio('effective_cost', 'epochs') }} as cost_per_epoch,
    {{ ratio('effective_cost', 'metric_value') }} as cost_per_metric_point,
    {{ ratio('effective_cost', 'case when points > 0 then points end') }} as cost_per_accuracy_point,
    previous_best_value,
    points_gained,
    {{ ratio('effective_cost', 'case when points_gained > 0 then points_gained end') }} as cost_per_point_gained,
    case
        when metric_value is null then 'no metric'
        when experiment is null then 'no experiment'
        when previous_best_value is null then 'first run'
        when points_gained <= 0 then 'no gain'
        when effective_cost is null then 'unpriced'
    end as no_gain_reason
from costed
