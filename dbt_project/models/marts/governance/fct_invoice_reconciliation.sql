-- What each side says that an invoice comes to: the charges that name it, its parts as the issuer states them, and the
-- plan. Sides are stacked, never joined: what only one of them knows keeps its row. A voided invoice asks for nothing.
select
    'charges' as side,
    {{ month_text('billing_period_start') }} as month,
    x_adapter as source,
    invoice_issuer_name as invoice_issuer,
    billing_account_id,
    invoice_id,
    billing_currency,
    sum(billed_cost) as amount,
    sum(case when charge_category = 'Tax' then billed_cost else 0 end) as tax_amount,
    sum(case when charge_category = 'Credit' then billed_cost else 0 end) as credit_amount,
    sum(case when charge_class = 'Correction' then billed_cost else 0 end) as correction_amount,
    cast(sum(charge_count) as bigint) as row_count
from {{ ref('int_charges_by_day') }}
group by
    {{ month_text('billing_period_start') }}, x_adapter, invoice_issuer_name, billing_account_id, invoice_id,
    billing_currency

union all

select
    'invoice' as side,
    {{ month_text('billing_period_start') }} as month,
    x_adapter as source,
    invoice_issuer_name as invoice_issuer,
    billing_account_id,
    invoice_id,
    billing_currency,
    sum(billed_cost) as amount,
    -- Parts of unknown kind leave unknown how much of the invoice is tax or credit.
    case
        when count(charge_category) = count(*) then sum(case when charge_category = 'Tax' then billed_cost else 0 end)
    end as tax_amount,
    case
        when count(charge_category) = count(*)
            then sum(case when charge_category = 'Credit' then billed_cost else 0 end)
    end as credit_amount,
    cast(null as decimal(38, 18)) as correction_amount,
    count(*) as row_count
from {{ ref('stg_invoice_detail') }}
where invoice_issue_status <> 'Voided'
group by
    {{ month_text('billing_period_start') }}, x_adapter, invoice_issuer_name, billing_account_id, invoice_id,
    billing_currency

union all

select
    'plan' as side,
    month,
    x_adapter as source,
    invoice_issuer,
    billing_account_id,
    invoice_id,
    currency as billing_currency,
    sum(amount) as amount,
    cast(null as decimal(38, 18)) as tax_amount,
    cast(null as decimal(38, 18)) as credit_amount,
    cast(null as decimal(38, 18)) as correction_amount,
    count(*) as row_count
from {{ ref('stg_invoice') }}
group by month, x_adapter, invoice_issuer, billing_account_id, invoice_id, currency
