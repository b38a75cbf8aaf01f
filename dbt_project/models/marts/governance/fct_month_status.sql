-- Whether an account's month is closed by the plan, reconciled (every charge is on an invoice that matches) or open.
with charges as (
    select *
    from {{ ref('fct_invoice_reconciliation') }}
    where side = 'charges'
),

compared as (
    select distinct
        charges.source,
        charges.billing_account_id,
        charges.month,
        gaps.comparison_id,
        gaps.status
    from charges
    inner join {{ ref('fct_invoice_gap') }} as gaps
        on
            charges.billing_currency = gaps.billing_currency
            and (
                (
                    charges.compared_invoice_id = gaps.invoice_id
                    and (charges.invoice_id is not null or gaps.stated_by = 'plan')
                )
                or (
                    charges.compared_invoice_id is null
                    and gaps.invoice_id is null
                    and charges.billing_account_id = gaps.billing_account_id
                    and charges.month = gaps.month
                    and charges.invoice_issuer = gaps.invoice_issuer
                )
            )
),

counted as (
    select
        source,
        billing_account_id,
        month,
        count(*) as comparisons,
        count(case when status not in ('matched', 'nothing to invoice') then 1 end) as open_comparisons
    from compared
    group by source, billing_account_id, month
),

closed_months as (
    select distinct
        source_name,
        billing_account_id,
        billing_month
    from {{ ref('int_charges_summed') }}
    where is_closed
)

select
    counted.source,
    counted.billing_account_id,
    counted.month,
    counted.comparisons,
    counted.open_comparisons,
    case
        when closed.billing_month is not null then 'closed'
        when counted.open_comparisons = 0 then 'reconciled'
        else 'open'
    end as status
from counted
left join closed_months as closed
    on
        counted.source = closed.source_name
        and counted.billing_account_id = closed.billing_account_id
        and counted.month = closed.billing_month
