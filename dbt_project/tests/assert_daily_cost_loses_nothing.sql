-- Every charge of the lake is in fct_daily_cost: no currency has lost or won any money on the way.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage'),
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_daily_cost'),
) }}
