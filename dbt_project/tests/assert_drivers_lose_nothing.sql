-- The drivers of a week or month add up to what its bill changed from the period before, in each currency.
with moved as (
    select
        period_kind,
        period_start,
        previous_start,
        billing_currency,
        sum(cost_change) as cost_change
    from {{ ref('fct_top_drivers') }}
    group by period_kind, period_start, previous_start, billing_currency
),

billed as (
    select
        moved.period_kind,
        moved.period_start,
        moved.billing_currency,
        sum(
            case when costs.charge_date >= moved.period_start then costs.effective_cost else -costs.effective_cost end
        ) as billed_change
    from moved
    inner join {{ ref('fct_daily_cost') }} as costs
        on
            moved.billing_currency = costs.billing_currency
            and moved.previous_start <= costs.charge_date
            and costs.charge_date < case
                when moved.period_kind = 'week' then cast({{ dbt.dateadd('day', 7, 'moved.period_start') }} as date)
                else cast({{ dbt.dateadd('month', 1, 'moved.period_start') }} as date)
            end
    group by moved.period_kind, moved.period_start, moved.billing_currency
)

select
    moved.*,
    billed.billed_change
from moved
left join billed
    on
        moved.period_kind = billed.period_kind
        and moved.period_start = billed.period_start
        and moved.billing_currency = billed.billing_currency
where moved.cost_change <> coalesce(billed.billed_change, 0)
