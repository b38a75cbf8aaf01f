-- Every charge of the lake is in one row of fct_monthly_cost.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage'),
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_monthly_cost'),
) }}
