-- The reasons of every gap between bill and invoice, or bill and usage, add up to it with what is unexplained; and the
-- gaps of all comparisons with a side are what that side comes to.
with gaps as (
    select
        'invoice' as kind,
        comparison_id,
        gap,
        {{ exact_difference('coalesce(billed_cost, 0)', 'coalesce(stated_amount, 0)') }} as difference
    from {{ ref('fct_invoice_gap') }}

    union all

    select
        'usage' as kind,
        comparison_id,
        gap,
        {{ exact_difference('coalesce(billed_cost, 0)', 'coalesce(list_cost, 0)') }} as difference
    from {{ ref('fct_usage_gap') }}
),

reasons as (
    select
        kind,
        comparison_id,
        sum(amount) as amount
    from {{ ref('fct_reconciliation_reason') }}
    group by kind, comparison_id
)

select
    coalesce(gaps.kind, reasons.kind) as kind,
    coalesce(gaps.comparison_id, reasons.comparison_id) as comparison_id,
    gaps.gap,
    gaps.difference,
    reasons.amount
from gaps
full outer join reasons on gaps.kind = reasons.kind and gaps.comparison_id = reasons.comparison_id
where
    gaps.comparison_id is null
    or gaps.gap <> gaps.difference
    or gaps.gap <> coalesce(reasons.amount, 0)
