-- Why a bill is not what an invoice or a vendor's own count says: one row for each reason of each gap, in the order in
-- which reasons are looked for, and last what is unexplained. They add up to the gap.
{% set invoice_reasons = {
    'no_invoice_id_gap': 'no invoice id', 'no_invoice_delivered_gap': 'no invoice delivered',
    'currency_gap': 'currency', 'tax_gap': 'tax', 'credit_gap': 'credit', 'correction_gap': 'correction',
    'nameless_gap': 'charges without an invoice id', 'rounding_gap': 'rounding', 'unexplained_gap': 'unexplained',
} %}
{% set usage_reasons = {
    'currency_gap': 'currency', 'tax_gap': 'tax', 'credit_gap': 'credit', 'adjustment_gap': 'adjustment',
    'purchase_gap': 'purchase', 'other_items_gap': 'other items', 'priority_tier_gap': 'priority tier',
    'no_usage_delivered_gap': 'no usage delivered', 'late_usage_gap': 'late usage',
    'no_bill_delivered_gap': 'no bill delivered', 'late_bill_gap': 'late bill',
    'unpriced_model_gap': 'unpriced model', 'rounding_gap': 'rounding', 'unexplained_gap': 'unexplained',
} %}
{% for column, reason in invoice_reasons.items() %}
select
    'invoice' as kind,
    comparison_id,
    month,
    billing_currency,
    {{ loop.index }} as reason_order,
    '{{ reason }}' as reason,
    {{ column }} as amount
from {{ ref('fct_invoice_gap') }}
where {{ column }} <> 0

union all

{% endfor %}
{% for column, reason in usage_reasons.items() %}
select
    'usage' as kind,
    comparison_id,
    month,
    billing_currency,
    {{ loop.index }} as reason_order,
    '{{ reason }}' as reason,
    {{ column }} as amount
from {{ ref('fct_usage_gap') }}
where {{ column }} <> 0
{% if not loop.last %}

union all

{% endif %}
{% endfor %}
