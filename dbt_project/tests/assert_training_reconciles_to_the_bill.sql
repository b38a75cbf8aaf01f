-- Runs on the bill, runs at a rate and the difference add up to what the bill says of the machines that runs ran on and
-- of whatever else carries a run's tag.
with run_types as (
    select distinct instance_type
    from {{ ref('fct_training_reconciliation') }}
    where instance_type not in ('other', 'unknown')
),

billed as (
    select
        billing_account_id as account_id,
        instance_type,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_machine_charges_summed') }}
    group by billing_account_id, instance_type, billing_currency
),

shown as (
    select
        account_id,
        instance_type,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_training_reconciliation') }}
    where cost_basis <> 'unpriced'
    group by account_id, instance_type, billing_currency
),

on_runs as (
    select
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_training_run_cost') }}
    where cost_basis = 'bill'
    group by billing_currency
),

on_the_bill as (
    select
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_training_reconciliation') }}
    where cost_basis = 'bill'
    group by billing_currency
)

select
    billed.instance_type,
    billed.billing_currency,
    billed.effective_cost as wanted,
    shown.effective_cost as found
from billed
inner join run_types on billed.instance_type = run_types.instance_type
inner join shown
    on
        billed.account_id = shown.account_id
        and billed.instance_type = shown.instance_type
        and billed.billing_currency = shown.billing_currency
where billed.effective_cost <> shown.effective_cost
union all
select
    'runs on the bill' as instance_type,
    on_runs.billing_currency,
    on_runs.effective_cost as wanted,
    on_the_bill.effective_cost as found
from on_runs
left join on_the_bill on on_runs.billing_currency = on_the_bill.billing_currency
where on_the_bill.effective_cost is null or on_runs.effective_cost <> on_the_bill.effective_cost
