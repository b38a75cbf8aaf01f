-- Resources and API keys that were billed on so many days of a calendar month that they are there to stay.
-- A month is judged by its own days alone, so that a later month changes nothing about an earlier one.
with billed as (
    select
        {{ month_text('charge_date') }} as month,
        billing_account_id,
        coalesce(resource_id, x_api_key_id) as billed_thing,
        count(distinct charge_date) as days_billed
    from {{ ref('int_charges_summed') }}
    where coalesce(resource_id, x_api_key_id) is not null
    group by {{ month_text('charge_date') }}, billing_account_id, coalesce(resource_id, x_api_key_id)
)

select
    billed.month,
    billed.billing_account_id,
    billed.billed_thing,
    billed.days_billed
from billed
where billed.days_billed >= {{ limit_of('persistent_days') }}
