-- The KPIs of commitments, of the company: how much of what they could cover they cover, how much of them is used, and
-- what they save. They could cover compute at standard prices and whatever they do cover; spot capacity they cannot.
-- Charges without a list price are left out on both sides. Use is of commitments whose bill spreads them over it.
with charges as (
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        case
            when commitment_discount_status = 'Unused' then 'unused'
            when commitment_discount_status = 'Used' then 'used'
            when service_category = 'Compute' and coalesce(pricing_category, 'Standard') = 'Standard' then 'uncovered'
        end as part,
        effective_cost,
        list_cost
    from {{ ref('int_charges_by_day') }}
    where charge_category = 'Usage'
),

monthly as (
    select
        month,
        billing_currency,
        part,
        sum(effective_cost) as effective_cost,
        sum(list_cost) as list_cost,
        sum(case when list_cost is not null then effective_cost end) as effective_cost_with_list
    from charges
    where part is not null
    group by month, billing_currency, part
),

parts as (
    select
        'commitment_coverage' as kpi,
        month,
        billing_currency,
        case when part = 'used' then list_cost else 0 end as numerator,
        list_cost as denominator
    from monthly
    where part in ('used', 'uncovered')
    union all
    select
        'effective_savings_rate' as kpi,
        month,
        billing_currency,
        list_cost as numerator,
        list_cost as denominator
    from monthly
    where part in ('used', 'uncovered')
    union all
    select
        'effective_savings_rate' as kpi,
        month,
        billing_currency,
        case when part = 'unused' then -effective_cost else -effective_cost_with_list end as numerator,
        cast(0 as decimal(38, 18)) as denominator
    from monthly
    union all
    select
        'commitment_utilization' as kpi,
        month,
        billing_currency,
        used_cost as numerator,
        {{ exact_sum('used_cost', 'unused_cost') }} as denominator
    from {{ ref('fct_commitments') }}
    where usage_reason is null
    union all
    select
        'commitment_waste' as kpi,
        month,
        billing_currency,
        unused_cost as numerator,
        {{ exact_sum('used_cost', 'unused_cost') }} as denominator
    from {{ ref('fct_commitments') }}
    where usage_reason is null
)

select
    kpi,
    month,
    cast(null as string) as team,
    billing_currency,
    cast(sum(numerator) as decimal(38, 18)) as numerator,
    cast(sum(denominator) as decimal(38, 18)) as denominator,
    cast(null as string) as missing_reason
from parts
group by kpi, month, billing_currency
