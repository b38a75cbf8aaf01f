-- What each team's services cost in each hour of the data's month and the one before: billed by the hour,
-- averaged over the day or period that was billed, or estimated from tokens counted since the last bill. Usage
-- alone: tax, credits and purchases have no rate. Grain: hour × team × service × basis × currency.
select
    hour_start,
    team,
    service_provider_name,
    service_name,
    basis,
    billing_currency,
    effective_cost_per_hour,
    cast(unpriced_requests as bigint) as unpriced_requests
from {{ ref('int_recent_usage_spread') }}
