-- Every charge has exactly one service: what candidates for services and what pools leave add up to all that is
-- unallocated, in each currency.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_allocated_cost')
    ~ " where allocation = 'unallocated'",
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_unallocated')
    ~ " where field in ('service_name', 'pool')",
) }}
