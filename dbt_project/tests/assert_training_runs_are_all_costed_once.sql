-- Every training run is in fct_training_run_cost, and no charge of the bill is counted for two runs.
with own_charges as (
    select
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('stg_cost_and_usage') }}
    where resource_id is not null
    group by billing_currency
),

billed_runs as (
    select
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_training_run_cost') }}
    where cost_basis = 'bill'
    group by billing_currency
)

select 'run is missing' as broken
from {{ ref('stg_training_run') }} as runs
left join {{ ref('fct_training_run_cost') }} as costed
    on runs.run_id = costed.run_id and runs.account_id = costed.account_id
where costed.run_id is null

union all

select 'runs cost more than all resources on the bill' as broken
from billed_runs
inner join own_charges on billed_runs.billing_currency = own_charges.billing_currency
where billed_runs.effective_cost > own_charges.effective_cost
