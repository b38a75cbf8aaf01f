-- What each account's services cost on each UTC day: commitments spread over the usage they covered, charges longer
-- than a day over their days, and beside it what days not reported yet are estimated to cost.
-- Every charge is counted in exactly one row; a day without charges or estimates has none.
with days as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        service_category,
        service_name,
        charge_category,
        billing_currency,
        billed_cost,
        effective_cost,
        contracted_cost,
        list_cost,
        cast(0 as decimal(38, 18)) as estimated_cost,
        cast(0 as decimal(38, 18)) as estimated_margin,
        charge_count
    from {{ ref('int_charges_summed') }}

    union all

    select
        charge_date,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        service_category,
        service_name,
        charge_category,
        billing_currency,
        cast(0 as decimal(38, 18)) as billed_cost,
        cast(0 as decimal(38, 18)) as effective_cost,
        cast(null as decimal(38, 18)) as contracted_cost,
        cast(null as decimal(38, 18)) as list_cost,
        estimated_cost,
        estimated_margin,
        0 as charge_count
    from {{ ref('int_charges_estimated') }}
)

select
    charge_date,
    service_provider_name,
    billing_account_id,
    sub_account_id,
    service_category,
    service_name,
    charge_category,
    billing_currency,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    sum(contracted_cost) as contracted_cost,
    sum(list_cost) as list_cost,
    sum(estimated_cost) as estimated_cost,
    sum(estimated_margin) as estimated_margin,
    cast(sum(charge_count) as bigint) as charge_count
from days
group by
    charge_date, service_provider_name, billing_account_id, sub_account_id, service_category, service_name,
    charge_category, billing_currency
