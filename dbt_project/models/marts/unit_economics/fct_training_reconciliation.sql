-- The cost of training runs beside what the bill says of the machines they ran on: per month, account, instance type
-- and team the runs on the bill, the runs at a rate, and as a row of its own the difference, which is machine time that
-- no run explains or, below 0, runs that claim more than was billed. The rows of an instance type add up to its bill.
-- What runs cost beside machines, such as storage under their tag, is of no instance type and stands under `other`.
with run_types as (
    select instance_type
    from {{ ref('stg_training_run') }}
    where instance_type is not null
    union distinct
    select charges.instance_type
    from {{ ref('int_machine_charges_summed') }} as charges
    inner join {{ ref('int_run_ties_found') }} as ties on charges.subject_key = ties.subject_key
    where charges.instance_type is not null
),

machines as (
    select
        {{ month_text('charges.charge_date') }} as month,
        charges.billing_account_id as account_id,
        charges.instance_type,
        charges.team,
        charges.billing_currency,
        ties.run_id,
        sum(charges.effective_cost) as effective_cost
    from {{ ref('int_machine_charges_summed') }} as charges
    inner join run_types on charges.instance_type = run_types.instance_type
    left join {{ ref('int_run_ties_found') }} as ties on charges.subject_key = ties.subject_key
    group by
        {{ month_text('charges.charge_date') }}, charges.billing_account_id, charges.instance_type, charges.team,
        charges.billing_currency, ties.run_id
),

tied as (
    select
        {{ month_text('charges.charge_date') }} as month,
        charges.billing_account_id as account_id,
        charges.team,
        charges.billing_currency,
        ties.run_id,
        sum(charges.effective_cost) as effective_cost
    from {{ ref('int_charges_attributed') }} as charges
    inner join {{ ref('int_run_ties_found') }} as ties on charges.subject_key = ties.subject_key
    group by
        {{ month_text('charges.charge_date') }}, charges.billing_account_id, charges.team, charges.billing_currency,
        ties.run_id
),

beside_machines as (
    select
        month,
        account_id,
        team,
        billing_currency,
        run_id,
        effective_cost
    from tied
    union all
    select
        month,
        account_id,
        team,
        billing_currency,
        run_id,
        -effective_cost as effective_cost
    from machines
    where run_id is not null
),

others as (
    select
        month,
        account_id,
        team,
        billing_currency,
        run_id,
        sum(effective_cost) as effective_cost
    from beside_machines
    group by month, account_id, team, billing_currency, run_id
    having sum(effective_cost) <> 0
),

estimated as (
    select
        {{ month_text('cast(started_at as date)') }} as month,
        account_id,
        coalesce(instance_type, 'unknown') as instance_type,
        team,
        billing_currency,
        run_id,
        cost_basis,
        effective_cost
    from {{ ref('fct_training_run_cost') }}
    where cost_basis <> 'bill'
),

entries as (
    select
        month,
        account_id,
        instance_type,
        team,
        billing_currency,
        case when run_id is null then 'difference' else 'bill' end as cost_basis,
        run_id,
        effective_cost
    from machines
    union all
    select
        month,
        account_id,
        'other' as instance_type,
        team,
        billing_currency,
        'bill' as cost_basis,
        run_id,
        effective_cost
    from others
    union all
    select
        month,
        account_id,
        instance_type,
        team,
        billing_currency,
        cost_basis,
        run_id,
        effective_cost
    from estimated
    union all
    select
        month,
        account_id,
        instance_type,
        team,
        billing_currency,
        'difference' as cost_basis,
        cast(null as string) as run_id,
        -effective_cost as effective_cost
    from estimated
    where cost_basis = 'rate'
)

select
    month,
    account_id,
    instance_type,
    team,
    billing_currency,
    cost_basis,
    cast(count(distinct run_id) as bigint) as runs,
    sum(effective_cost) as effective_cost
from entries
group by month, account_id, instance_type, team, billing_currency, cost_basis
