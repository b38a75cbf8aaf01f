-- What each use case cost in each month and currency.
select
    use_case,
    {{ month_text('charge_date') }} as month,
    billing_currency,
    sum(effective_cost) as effective_cost,
    sum(charge_count) as charge_count
from {{ ref('int_costs_allocated') }}
group by use_case, {{ month_text('charge_date') }}, billing_currency
