-- What the bill says about resources, per account and currency.
select
    billing_account_id,
    resource_id,
    billing_currency,
    sum(effective_cost) as effective_cost
from {{ ref('int_charges_summed') }}
where resource_id in (select training_runs.resource_id from {{ ref('stg_training_run') }} as training_runs)
group by billing_account_id, resource_id, billing_currency
