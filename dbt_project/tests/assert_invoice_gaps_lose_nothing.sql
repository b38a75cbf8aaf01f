-- Every charge is compared once with each side that states its invoice, and every invoice and count with its charges:
-- in each currency the comparisons come to what the sides do.
with sides as (
    select
        side,
        billing_currency,
        amount
    from {{ ref('fct_invoice_reconciliation') }}

    union all

    select
        side,
        billing_currency,
        coalesce(amount, 0) as amount
    from {{ ref('fct_usage_reconciliation') }}
),

-- An invoice that two sides state has its charges on both of their lines.
charged as (
    select
        billing_currency,
        max(billed_cost) as amount
    from {{ ref('fct_invoice_gap') }}
    group by billing_currency, coalesce(invoice_id, comparison_id)
),

compared as (
    select
        'charges' as side,
        billing_currency,
        amount
    from charged

    union all

    select
        stated_by as side,
        billing_currency,
        stated_amount as amount
    from {{ ref('fct_invoice_gap') }}
    where stated_by <> 'nothing'

    union all

    select
        'bill' as side,
        billing_currency,
        coalesce(billed_cost, 0) as amount
    from {{ ref('fct_usage_gap') }}

    union all

    select
        'usage' as side,
        billing_currency,
        coalesce(list_cost, 0) as amount
    from {{ ref('fct_usage_gap') }}
),

held_together as (
    select
        side,
        billing_currency,
        amount
    from sides

    union all

    select
        side,
        billing_currency,
        -amount as amount
    from compared
)

select
    side,
    billing_currency,
    sum(amount) as lost
from held_together
group by side, billing_currency
having sum(amount) <> 0
