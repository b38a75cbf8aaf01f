-- The KPIs of commitments and of delivery, of the company.
-- Commitments: how much of what they could cover they cover, how much of them is used, and what they save. They could
-- cover compute at standard prices and whatever they do cover; spot capacity they cannot. Charges without a list price
-- are left out on both sides. Use is of commitments whose bill spreads them over it.
-- Delivery: how far the bill lags behind the newest telemetry, and how much of what was invoiced is here as FOCUS rows.
with usage as (
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
    from usage
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
),

freshness as (
    select
        dataset,
        source,
        last_date,
        status,
        max(last_date) over () as newest
    from {{ ref('fct_data_freshness') }}
    where dataset in ('cost_and_usage', 'ai_usage', 'gpu_utilization', 'training_run', 'function_run')
),

lags as (
    select
        {{ month_text('newest') }} as month,
        {{ dbt.datediff('last_date', 'newest', 'day') }} as days
    from freshness
    where dataset = 'cost_and_usage' and status <> 'ended'
),

sides as (
    select
        side,
        month,
        billing_account_id,
        invoice_id,
        billing_currency,
        sum(amount) as amount
    from {{ ref('fct_invoice_reconciliation') }}
    group by side, month, billing_account_id, invoice_id, billing_currency
),

accounts as (
    select
        invoice_id,
        max(billing_account_id) as billing_account_id
    from sides
    where side = 'charges' and invoice_id is not null
    group by invoice_id
),

invoices as (
    select
        sides.side,
        sides.month,
        coalesce(sides.billing_account_id, accounts.billing_account_id) as billing_account_id,
        sides.billing_currency,
        sum(sides.amount) as amount,
        rank() over (
            partition by
                sides.month, coalesce(sides.billing_account_id, accounts.billing_account_id), sides.billing_currency
            order by case sides.side when 'invoice' then 1 else 2 end
        ) as side_rank
    from sides
    left join accounts on sides.invoice_id = accounts.invoice_id
    where sides.side <> 'charges'
    group by
        sides.side, sides.month, coalesce(sides.billing_account_id, accounts.billing_account_id),
        sides.billing_currency
),

charges as (
    select
        month,
        billing_account_id,
        billing_currency,
        sum(amount) as amount
    from sides
    where side = 'charges'
    group by month, billing_account_id, billing_currency
)

select
    kpi,
    month,
    cast(null as string) as team,
    billing_currency,
    cast(sum(numerator) as decimal(38, 18)) as numerator,
    cast(sum(denominator) as decimal(38, 18)) as denominator
from parts
group by kpi, month, billing_currency

union all

select
    'cost_visibility_delay' as kpi,
    month,
    cast(null as string) as team,
    cast(null as string) as billing_currency,
    cast(sum(days) as decimal(38, 18)) as numerator,
    cast(count(*) as decimal(38, 18)) as denominator
from lags
group by month

union all

select
    'normalized_vs_invoiced' as kpi,
    invoices.month,
    cast(null as string) as team,
    invoices.billing_currency,
    cast(sum(coalesce(charges.amount, 0)) as decimal(38, 18)) as numerator,
    cast(sum(invoices.amount) as decimal(38, 18)) as denominator
from invoices
left join charges
    on
        invoices.month = charges.month
        and invoices.billing_account_id = charges.billing_account_id
        and invoices.billing_currency = charges.billing_currency
where invoices.side_rank = 1
group by invoices.month, invoices.billing_currency
