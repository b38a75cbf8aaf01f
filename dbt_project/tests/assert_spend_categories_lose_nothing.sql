-- The bills' categories add up to the lake, and the plan's to the plan.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage')
    ~ ' union all select currency, 0, amount from ' ~ ref('stg_organisation_cost'),
    'select billing_currency, coalesce(billed_cost, 0) as billed_cost, effective_cost from '
    ~ ref('fct_spend_category'),
) }}
