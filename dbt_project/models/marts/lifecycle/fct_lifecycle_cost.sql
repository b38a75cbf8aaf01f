-- What experiments and production cost each day, and how we know which is which.
-- Teams are as after allocation; every charge is in here exactly once.
select
    charge_date,
    lifecycle,
    lifecycle_evidence as evidence,
    team,
    use_case,
    service_provider_name,
    billing_currency,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    cast(sum(charge_count) as bigint) as charge_count
from {{ ref('int_costs_allocated') }}
group by charge_date, lifecycle, lifecycle_evidence, team, use_case, service_provider_name, billing_currency
