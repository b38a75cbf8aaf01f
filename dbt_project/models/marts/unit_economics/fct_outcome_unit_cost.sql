-- What one accepted outcome of each use case costs in a month, what it earns, and what the outcomes that had to be done
-- again cost. Costs and revenue are those of fct_use_case_value, in the currency of the outcome.
with known as (
    select
        use_case,
        month,
        currency,
        unit_name,
        units,
        accepted_units,
        revenue,
        unconverted_cost_charges,
        cost_per_accepted_unit,
        case when unconverted_cost_charges = 0 then effective_cost end as effective_cost
    from {{ ref('fct_use_case_value') }}
    where has_outcome
),

outcomes as (
    select
        *,
        {{ exact_difference('revenue', 'effective_cost') }} as revenue_margin
    from known
)

select
    outcomes.use_case,
    outcomes.month,
    outcomes.currency,
    outcomes.unit_name,
    outcomes.units,
    outcomes.accepted_units,
    outcomes.units - outcomes.accepted_units as rework_units,
    {{ ratio('outcomes.units - outcomes.accepted_units', 'outcomes.units') }} as rework_share,
    outcomes.effective_cost,
    {{ as_amount(
        'cast(outcomes.effective_cost as double) * ('
        ~ ratio('outcomes.units - outcomes.accepted_units', 'outcomes.units') ~ ')'
    ) }} as rework_cost,
    {{ ratio('outcomes.effective_cost', 'outcomes.units') }} as cost_per_unit,
    outcomes.cost_per_accepted_unit,
    case
        when outcomes.cost_per_accepted_unit is not null then cast(null as string)
        when outcomes.currency is null then 'no currency: neither revenue nor an assumption names one'
        when outcomes.unconverted_cost_charges > 0 then 'charges without an exchange rate'
        when outcomes.effective_cost is null then 'no charge names the use case'
        when outcomes.accepted_units is null then 'accepted outcomes not reported'
        else 'no accepted outcome'
    end as reason,
    outcomes.revenue,
    {{ ratio('outcomes.revenue', 'outcomes.accepted_units') }} as revenue_per_accepted_unit,
    outcomes.revenue_margin,
    {{ ratio('outcomes.revenue_margin', 'outcomes.revenue') }} as revenue_margin_ratio,
    outcomes.unconverted_cost_charges,
    targets.threshold,
    {{ line_status('outcomes.cost_per_accepted_unit', 'targets.threshold') }} as status
from outcomes
left join {{ ref('int_targets_chosen') }} as targets
    on
        outcomes.use_case = targets.use_case
        and outcomes.month = targets.month
        and outcomes.currency = targets.currency
        and targets.metric = 'cost_per_accepted_outcome'
