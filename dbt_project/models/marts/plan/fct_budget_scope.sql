-- What the budgets of one scope allow together in a month, beside its cost, counted once. Scopes overlap (a team, and a
-- service of that team): each is judged by itself, and their amounts are never to be added.
with scopes as (
    select
        month,
        scope,
        billing_currency,
        min(team) as team,
        min(product) as product,
        min(use_case) as use_case,
        min(service_name) as service_name,
        min(lifecycle) as lifecycle,
        min(precedence) as precedence,
        min(scope_budgets) as budgets,
        sum(budget_amount) as budget_amount,
        sum(actual_cost) as actual_cost,
        sum(estimated_cost) as estimated_cost,
        sum(known_future_cost) as known_future_cost,
        sum(forecast_cost) as forecast_cost,
        min(expectation_basis) as expectation_basis,
        sum(expected_cost) as expected_cost,
        sum(expected_low) as expected_low,
        sum(expected_high) as expected_high,
        min(consumed_ratio) as consumed_ratio,
        min(expected_ratio) as expected_ratio,
        min(status) as status,
        min(data_through) as data_through
    from {{ ref('fct_budget_status') }}
    group by month, scope, billing_currency
),

periods as (
    select
        *,
        {{ exact_difference('expected_cost', 'budget_amount') }} as variance,
        substr(month, 1, 4) as budget_year,
        floor((cast(substr(month, 6, 2) as int) + 2) / 3) as budget_quarter
    from scopes
)

select
    month,
    scope,
    billing_currency,
    team,
    product,
    use_case,
    service_name,
    lifecycle,
    precedence,
    budgets,
    cast(budget_amount as decimal(38, 18)) as budget_amount,
    cast(actual_cost as decimal(38, 18)) as actual_cost,
    cast(estimated_cost as decimal(38, 18)) as estimated_cost,
    cast(known_future_cost as decimal(38, 18)) as known_future_cost,
    cast(forecast_cost as decimal(38, 18)) as forecast_cost,
    expectation_basis,
    cast(expected_cost as decimal(38, 18)) as expected_cost,
    cast(expected_low as decimal(38, 18)) as expected_low,
    cast(expected_high as decimal(38, 18)) as expected_high,
    consumed_ratio,
    expected_ratio,
    cast(variance as decimal(38, 18)) as variance,
    {{ ratio('variance', 'budget_amount') }} as variance_ratio,
    status,
    case
        when count(*) over (partition by scope, billing_currency, budget_year, budget_quarter) = 3
            then cast(
                sum(budget_amount) over (partition by scope, billing_currency, budget_year, budget_quarter)
                as decimal(38, 18)
            )
    end as quarter_budget_amount,
    case
        when count(*) over (partition by scope, billing_currency, budget_year) = 12
            then cast(sum(budget_amount) over (partition by scope, billing_currency, budget_year) as decimal(38, 18))
    end as year_budget_amount,
    data_through
from periods
