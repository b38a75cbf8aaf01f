-- What each training run cost: as billed where the bill knows its resource, else its hours at what such hours cost that
-- month, else unknown, which is not nothing. A resource that two runs share is not the bill of either.
with runs as (
    select
        *,
        case
            when count(*) over (partition by account_id, resource_id) = 1 then resource_id
        end as own_resource_id
    from {{ ref('stg_training_run') }}
),

costed as (
    select
        runs.*,
        coalesce(bill.billing_currency, rates.billing_currency) as billing_currency,
        case
            when bill.billing_currency is not null then bill.effective_cost
            else {{ as_amount(
                'cast(runs.billable_seconds as double) / 3600 * runs.instance_count * rates.effective_cost_per_hour'
            ) }}
        end as effective_cost,
        bill.billing_currency is not null as is_billed
    from runs
    left join {{ ref('int_run_charges_summed') }} as bill
        on runs.account_id = bill.billing_account_id and runs.own_resource_id = bill.resource_id
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
    started_at,
    ended_at,
    instance_type,
    instance_count,
    billable_seconds,
    is_spot,
    spot_interruptions,
    epochs,
    metric_name,
    metric_value,
    billing_currency,
    effective_cost,
    case
        when is_billed then 'bill'
        when effective_cost is not null then 'rate'
        else 'unpriced'
    end as cost_basis,
    {{ ratio('effective_cost', 'epochs') }} as cost_per_epoch,
    {{ ratio('effective_cost', 'metric_value') }} as cost_per_metric_point
from costed
