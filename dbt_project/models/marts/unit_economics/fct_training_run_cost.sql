-- What each training run cost: as billed where the bill names its resource or its tag, else its hours at what such
-- hours cost that month, else unknown, which is not nothing. A resource that two runs share is not the bill of either.
with costed as (
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
    from {{ ref('int_runs_compared') }} as runs
    left join {{ ref('int_run_charges_summed') }} as bill
        on runs.account_id = bill.account_id and runs.run_id = bill.run_id
    left join {{ ref('int_instance_rates_derived') }} as rates
        on
            runs.account_id = rates.billing_account_id
            and {{ month_text('cast(runs.started_at as date)') }} = rates.month
            and runs.instance_type = rates.instance_type
            and runs.billable_seconds is not null
            and runs.instance_count is not null
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
