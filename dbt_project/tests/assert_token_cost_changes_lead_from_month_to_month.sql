-- What all tokens of a currency cost in a month is what they cost the month before plus every change in between.
with costs as (
    select
        month,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('fct_token_unit_cost') }}
    group by month, billing_currency
),

bounds as (
    select min(month) as first_month
    from costs
),

signed as (
    select
        costs.month,
        costs.billing_currency,
        costs.effective_cost as amount
    from costs
    cross join bounds
    where costs.month > bounds.first_month
    union all
    select
        changes.month,
        changes.billing_currency,
        -changes.change as amount
    from {{ ref('fct_token_cost_change') }} as changes
    union all
    select
        {{ month_text(dbt.dateadd('month', 1, "cast(concat(month, '-01') as date)")) }} as month,
        billing_currency,
        -effective_cost as amount
    from costs
)

select
    signed.month,
    signed.billing_currency,
    sum(signed.amount) as left_over
from signed
where signed.month in (select months.month from costs as months)
group by signed.month, signed.billing_currency
having sum(signed.amount) <> 0
