-- The statements of all teams, and of what nobody owns, add up to the bill of each currency to the last digit.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage'),
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_showback'),
) }}
