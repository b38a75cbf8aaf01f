-- In every row price, volume, mix, new and ended models and what nobody counted add up to the whole change.
{{ effects_left_over(
    ref('fct_token_cost_change'),
    grain=['month', 'service_provider_name', 'model', 'token_kind', 'service_tier', 'billing_currency'],
    change='change',
    effects=['price', 'volume', 'mix', 'new_model', 'ended_model', 'uncounted'],
) }}
