-- What is posted to each cost centre for each closed month, as numbered ledger lines. A billing month is here once the
-- plan closes it for every account that has charges in it; from then on no delivery changes its charges.
with open_months as (
    select distinct billing_month
    from {{ ref('int_charges_pooled') }}
    where not is_closed
),

posted as (
    select
        costs.*,
        costs.billing_month as month,
        {{ statement_line() }} as line
    from {{ ref('int_costs_allocated') }} as costs
    left join open_months on costs.billing_month = open_months.billing_month
    where open_months.billing_month is null
),

lines as (
    select
        month,
        cost_center,
        team,
        service_provider_name,
        line,
        allocation_path,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        cast(sum(charge_count) as bigint) as charge_count
    from posted
    group by
        month, cost_center, team, service_provider_name, line, allocation_path, billing_currency
)

select
    month,
    billing_currency,
    cast(
        row_number() over (
            partition by month, billing_currency
            order by cost_center, team, service_provider_name, line, coalesce(allocation_path, '')
        ) as bigint
    ) as line_number,
    cost_center,
    team,
    service_provider_name,
    line,
    allocation_path,
    billed_cost,
    effective_cost,
    charge_count
from lines
