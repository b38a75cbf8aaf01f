-- In each month and currency the spend that has an owner, that of teams nobody registered, and the spend that has none
-- are what was billed.
with bill as (
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_daily_cost') }}
    group by {{ month_text('charge_date') }}, billing_currency
),

parts as (
    select distinct
        kpi,
        month,
        billing_currency,
        numerator
    from {{ ref('fct_kpi') }}
    where kpi in ('spend_allocated', 'spend_unallocated', 'spend_unregistered')
),

measured as (
    select
        month,
        billing_currency,
        sum(numerator) as effective_cost
    from parts
    group by month, billing_currency
)

select
    bill.month,
    bill.billing_currency,
    bill.effective_cost,
    measured.effective_cost as measured_cost
from bill
left join measured on bill.month = measured.month and bill.billing_currency = measured.billing_currency
where measured.month is null or bill.effective_cost <> measured.effective_cost
