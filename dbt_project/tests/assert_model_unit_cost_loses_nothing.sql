-- The cost of every token that is counted is in fct_model_unit_cost.
{{ money_lost(
    'select billing_currency, cast(0 as decimal(38, 18)) as billed_cost, effective_cost from '
    ~ ref('fct_token_unit_cost') ~ ' where tokens > 0',
    'select currency as billing_currency, cast(0 as decimal(38, 18)) as billed_cost, token_cost as effective_cost from '
    ~ ref('fct_model_unit_cost') ~ ' where token_cost is not null',
) }}
