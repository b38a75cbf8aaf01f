-- Every charge of an AI model is in fct_inference_unit_cost.
{{ money_lost(
    'select billing_currency, effective_cost as billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage')
    ~ ' where x_model is not null or x_token_kind is not null',
    'select billing_currency, effective_cost as billed_cost, effective_cost from ' ~ ref('fct_inference_unit_cost')
    ~ ' where billing_currency is not null',
) }}
