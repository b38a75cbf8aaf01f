-- However often single months were built anew, days hold each source's charges of each month once, to the last digit.
with both_sides as (
    select
        lake_source,
        lake_month,
        billing_currency,
        billed_cost,
        effective_cost,
        contracted_cost,
        list_cost,
        1 as charges
    from {{ ref('stg_cost_and_usage') }}

    union all

    select
        lake_source,
        lake_month,
        billing_currency,
        -billed_cost as billed_cost,
        -effective_cost as effective_cost,
        -contracted_cost as contracted_cost,
        -list_cost as list_cost,
        -charge_count as charges
    from {{ ref('int_charges_by_day') }}
)

select
    lake_source,
    lake_month,
    billing_currency,
    sum(charges) as charges_lost,
    sum(billed_cost) as billed_cost_lost,
    sum(effective_cost) as effective_cost_lost,
    sum(contracted_cost) as contracted_cost_lost,
    sum(list_cost) as list_cost_lost
from both_sides
group by lake_source, lake_month, billing_currency
having
    sum(charges) <> 0 or sum(billed_cost) <> 0 or sum(effective_cost) <> 0
    or coalesce(sum(contracted_cost), 0) <> 0 or coalesce(sum(list_cost), 0) <> 0
