-- Price, volume, mix, new, ended and uncounted add up to the change of each row to the last digit.
{{ effects_left_over(
    ref('fct_top_drivers'),
    grain=[
        'period_kind', 'period_start', 'team', 'service_provider_name', 'service_name', 'model', 'sku', 'unit',
        'billing_currency',
    ],
    change='cost_change',
    effects=['price', 'volume', 'mix', 'new', 'ended', 'uncounted'],
) }}
