-- Every charge is in fct_reporting_currency_cost in its own currency, rate or no rate.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage'),
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_reporting_currency_cost'),
) }}
