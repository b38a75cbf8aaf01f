-- What experiments and production cost each day, how much of it is there to stay, and how we know.
-- Teams are as after allocation; every charge is in here exactly once.
select
    charge_date,
    lifecycle,
    lifecycle_evidence as evidence,
    persistence,
    persistence_evidence,
    team,
    use_case,
    service_provider_name,
    billing_currency,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    sum(estimated_cost) as estimated_cost,
    sum(estimated_margin) as estimated_margin,
    cast(sum(charge_count) as bigint) as charge_count
from {{ ref('int_costs_allocated') }}
group by
    charge_date, lifecycle, lifecycle_evidence, persistence, persistence_evidence, team, use_case,
    service_provider_name, billing_currency
