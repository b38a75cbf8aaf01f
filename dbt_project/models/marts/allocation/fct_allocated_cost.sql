-- Who owns what each day cost: a team's own charges, its shares of shared pools, and what is nobody's yet.
-- Every charge is in here exactly once, so that the total per currency is the bill's.
{% set grain = [
    'charge_date', 'team', 'product', 'use_case', 'model', 'environment', 'service_provider_name', 'service_category',
    'service_name', 'charge_category', 'allocation', 'team_evidence', 'allocation_rule', 'driver', 'driver_quantity',
    'driver_ratio', 'origin_team', 'billing_currency',
] %}

select
    {{ grain | join(',\n    ') }},
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    cast(sum(charge_count) as bigint) as charge_count
from {{ ref('int_costs_allocated') }}
group by {{ grain | join(', ') }}
