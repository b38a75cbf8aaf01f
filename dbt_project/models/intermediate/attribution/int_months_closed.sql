-- Which months of which accounts are closed today, as the plan says. A row that names no source or no account closes
-- the month for all of them.
with months as (
    select distinct
        source_name,
        billing_account_id,
        billing_month
    from {{ ref('int_charges_summed') }}
)

select distinct
    months.source_name,
    months.billing_account_id,
    months.billing_month
from months
inner join {{ ref('stg_closed_month') }} as closed
    on
        months.billing_month = closed.month
        and (closed.source_name is null or months.source_name = closed.source_name)
        and (closed.billing_account_id is null or months.billing_account_id = closed.billing_account_id)
where closed.closed_on <= current_date
