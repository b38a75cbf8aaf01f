-- Every charge of tokens is on the billed side of fct_token_efficiency.
{{ money_lost(
    'select billing_currency, effective_cost as billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage')
    ~ ' where x_token_kind is not null',
    'select billing_currency, effective_cost as billed_cost, effective_cost from ' ~ ref('fct_token_efficiency')
    ~ " where token_basis = 'billed'",
) }}
