-- Every charge of tokens is in fct_token_unit_cost.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage')
    ~ ' where x_token_kind is not null',
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_token_unit_cost'),
) }}
