-- Every charge that names a commitment, and every charge for AI capacity bought ahead, is in fct_commitments.
{{ money_lost(
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('stg_cost_and_usage')
    ~ ' where commitment_discount_id is not null or (' ~ is_ai_capacity() ~ ')',
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_commitments'),
) }}
