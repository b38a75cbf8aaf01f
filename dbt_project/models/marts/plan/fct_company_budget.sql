-- What the whole company may spend in a month and currency, and how much of its cost that binds. The budgets for
-- everything answer; where a currency has none, those of whole teams are added up: no charge has two teams. Narrower
-- budgets overlap with them and are never added.
with month_costs as (
    select
        {{ month_text('costs.charge_date') }} as month,
        costs.billing_currency,
        sum(costs.effective_cost) as effective_cost
    from {{ ref('int_costs_allocated') }} as costs
    inner join {{ ref('int_data_date_found') }} as data_date on costs.charge_date <= data_date.data_through
    group by {{ month_text('costs.charge_date') }}, costs.billing_currency
),

whole as (
    select
        *,
        max(case when team is null then 1 else 0 end) over (partition by month, billing_currency) = 1
            as everything_is_bound
    from {{ ref('fct_budget_scope') }}
    where product is null and use_case is null and service_name is null and lifecycle is null
),

added as (
    select
        month,
        billing_currency,
        case when everything_is_bound then 'everything' else 'teams' end as binds,
        cast(sum(budgets) as bigint) as budgets,
        sum(budget_amount) as budget_amount,
        sum(actual_cost) as actual_cost,
        sum(estimated_cost) as estimated_cost,
        sum(known_future_cost) as known_future_cost,
        case when count(expected_cost) = count(*) then sum(expected_cost) end as expected_cost,
        case when count(expected_low) = count(*) then sum(expected_low) end as expected_low,
        case when count(expected_high) = count(*) then sum(expected_high) end as expected_high,
        min(data_through) as data_through
    from whole
    where team is null or not everything_is_bound
    group by month, billing_currency, everything_is_bound
)

select
    added.month,
    added.billing_currency,
    added.binds,
    added.budgets,
    cast(added.budget_amount as decimal(38, 18)) as budget_amount,
    cast(added.actual_cost as decimal(38, 18)) as actual_cost,
    cast(added.estimated_cost as decimal(38, 18)) as estimated_cost,
    cast(added.known_future_cost as decimal(38, 18)) as known_future_cost,
    cast(added.expected_cost as decimal(38, 18)) as expected_cost,
    cast(added.expected_low as decimal(38, 18)) as expected_low,
    cast(added.expected_high as decimal(38, 18)) as expected_high,
    {{ ratio('added.actual_cost', 'added.budget_amount') }} as consumed_ratio,
    {{ ratio('added.expected_cost', 'added.budget_amount') }} as expected_ratio,
    cast(month_costs.effective_cost as decimal(38, 18)) as month_cost,
    {{ ratio('added.actual_cost', 'month_costs.effective_cost') }} as coverage,
    added.data_through
from added
left join month_costs
    on added.month = month_costs.month and added.billing_currency = month_costs.billing_currency
