-- FOCUS: the EffectiveCost of what used a commitment, and of what nobody used, is the BilledCost of its purchase,
-- over every period that the lake holds whole. A bill that breaks it is the provider's fault or incomplete: the
-- marts are right, so this warns.
{{ config(severity='warn') }}

select
    commitment_id,
    month,
    billing_currency,
    rule_scope,
    rule_difference
from {{ ref('fct_commitments') }}
where rule_status = 'broken'
