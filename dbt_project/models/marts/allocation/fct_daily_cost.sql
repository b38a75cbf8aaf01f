-- What each account's services cost on each UTC day, commitments spread over the usage they covered.
-- Every charge is in exactly one row; a day without charges has none.
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
    cast(sum(charge_count) as bigint) as charge_count
from {{ ref('int_charges_summed') }}
group by
    charge_date, service_provider_name, billing_account_id, sub_account_id, service_category, service_name,
    charge_category, billing_currency
