-- What is posted to cost centres is what was billed in the months posted, to the last digit, and every charge of a
-- month that is posted is of an account for which it is closed.
with posted as (
    select distinct month from {{ ref('fct_chargeback') }}
),

billed as (
    select
        costs.billing_currency,
        costs.billed_cost,
        costs.effective_cost
    from {{ ref('int_charges_summed') }} as costs
    inner join posted on costs.billing_month = posted.month
),

changes as (
    {{ money_lost(
        'select billing_currency, billed_cost, effective_cost from billed',
        'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_chargeback'),
    ) }}
)

select
    billing_currency,
    'money was lost' as broken
from changes

union all

select distinct
    charges.billing_currency,
    concat('an open account is posted: ', charges.billing_month) as broken
from {{ ref('int_charges_attributed') }} as charges
inner join posted on charges.billing_month = posted.month
where not charges.is_closed
