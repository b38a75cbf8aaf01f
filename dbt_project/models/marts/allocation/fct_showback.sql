-- Each team's statement by month: its own usage, its share of each pool with how it was split, what its commitments
-- left unused, its support, purchases, credits and tax. The lines of all teams, with those of what nobody owns, add up
-- to the bill. Beside each line stands what its team, and the whole month, cost.
with lines as (
    select
        *,
        {{ month_text('charge_date') }} as month,
        {{ statement_line() }} as line
    from {{ ref('int_costs_allocated') }}
),

statements as (
    select
        month,
        team,
        line,
        pool,
        allocation_path,
        allocation_rule,
        driver,
        driver_quantity,
        driver_ratio,
        billing_currency,
        allocation,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        sum(estimated_cost) as estimated_cost,
        sum(estimated_margin) as estimated_margin,
        sum(commitment_saving) as commitment_saving,
        cast(sum(charge_count) as bigint) as charge_count
    from lines
    group by
        month, team, line, pool, allocation_path, allocation_rule, driver, driver_quantity, driver_ratio,
        billing_currency, allocation
),

summed as (
    select
        *,
        sum(effective_cost) over (partition by month, team, allocation, billing_currency) as allocation_cost,
        sum(effective_cost) over (partition by month, team, billing_currency) as team_cost,
        sum(effective_cost) over (partition by month, billing_currency) as month_cost
    from statements
)

select
    month,
    team,
    line,
    pool,
    allocation_path,
    allocation_rule,
    driver,
    driver_quantity,
    driver_ratio,
    billing_currency,
    billed_cost,
    effective_cost,
    estimated_cost,
    estimated_margin,
    commitment_saving,
    charge_count,
    allocation,
    allocation_cost,
    team_cost,
    {{ ratio('team_cost', 'month_cost') }} as team_share,
    month_cost
from summed
