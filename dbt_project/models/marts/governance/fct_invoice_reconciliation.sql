-- What each side says that an invoice comes to: the charges that name it, its parts as the issuer states them, and the
-- plan. Sides are stacked, never joined: what only one of them knows keeps its row. A voided invoice asks for nothing.
with sides as (
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
            when count(charge_category) = count(*)
                then sum(case when charge_category = 'Tax' then billed_cost else 0 end)
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
),

charged as (
    select distinct invoice_id
    from sides
    where side = 'charges' and invoice_id is not null
),

-- An invoice of the plan that no charge names stands for the charges of its account and month that name none. Where
-- several could, the lowest number does: no charge is compared twice.
standing as (
    select
        nameless.month,
        nameless.invoice_issuer,
        nameless.billing_account_id,
        nameless.billing_currency,
        min(planned.invoice_id) as invoice_id
    from sides as nameless
    inner join sides as planned
        on
            nameless.month = planned.month
            and nameless.billing_account_id = planned.billing_account_id
            and nameless.billing_currency = planned.billing_currency
            and (
                planned.invoice_issuer is null
                or {{ name_key('planned.invoice_issuer') }} = {{ name_key('nameless.invoice_issuer') }}
            )
    left join charged on planned.invoice_id = charged.invoice_id
    where
        nameless.side = 'charges'
        and nameless.invoice_id is null
        and planned.side = 'plan'
        and charged.invoice_id is null
    group by nameless.month, nameless.invoice_issuer, nameless.billing_account_id, nameless.billing_currency
)

select
    sides.side,
    sides.month,
    sides.source,
    sides.invoice_issuer,
    sides.billing_account_id,
    sides.invoice_id,
    coalesce(sides.invoice_id, standing.invoice_id) as compared_invoice_id,
    sides.billing_currency,
    sides.amount,
    sides.tax_amount,
    sides.credit_amount,
    sides.correction_amount,
    sides.row_count
from sides
left join standing
    on
        sides.side = 'charges'
        and sides.invoice_id is null
        and sides.month = standing.month
        and sides.invoice_issuer = standing.invoice_issuer
        and sides.billing_account_id = standing.billing_account_id
        and sides.billing_currency = standing.billing_currency
