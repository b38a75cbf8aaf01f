-- What the bill says about each training run: the charges of its own resource and those that its tag is on.
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
