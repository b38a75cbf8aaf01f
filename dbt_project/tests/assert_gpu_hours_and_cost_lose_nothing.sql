-- Every machine with GPUs on the bill is in fct_gpu_utilization with all its cost, of each currency to the last digit,
-- and with all its device hours; used, idle and unmeasured cost are all of it.
with bought as (
    select
        billing_currency,
        sum(bought_hours) as bought_hours,
        sum(effective_cost) as effective_cost
    from {{ ref('int_gpu_machines_billed') }}
    group by billing_currency
),

shown as (
    select
        billing_currency,
        sum(bought_hours) as bought_hours,
        sum(effective_cost) as effective_cost,
        sum(coalesce(used_cost, 0)) as used_cost,
        sum(coalesce(idle_cost, 0)) as idle_cost,
        sum(coalesce(unmeasured_cost, 0)) as unmeasured_cost
    from {{ ref('fct_gpu_utilization') }}
    where billing_currency is not null
    group by billing_currency
)

select
    bought.billing_currency,
    bought.bought_hours,
    shown.bought_hours as shown_hours,
    bought.effective_cost,
    shown.effective_cost as shown_cost
from bought
left join shown on bought.billing_currency = shown.billing_currency
where
    shown.effective_cost is null
    or shown.effective_cost <> bought.effective_cost
    or abs(cast(shown.bought_hours as double) - cast(bought.bought_hours as double)) > 0.000001
    or abs(
        cast(shown.effective_cost as double) - cast(shown.used_cost as double) - cast(shown.idle_cost as double)
        - cast(shown.unmeasured_cost as double)
    ) > 0.000001
