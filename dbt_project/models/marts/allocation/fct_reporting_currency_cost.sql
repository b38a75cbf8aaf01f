-- What each team's services cost in each month, in the currency billed and in the one that the group reports in,
-- with the rate between them. Shares of pools are with the teams that take them. Without a rate the second is
-- unknown, and the reason says so. Grain: month × team × service × currency billed.
with costs as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        service_provider_name,
        service_name,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost
    from {{ ref('int_costs_allocated') }}
    group by {{ month_text('charge_date') }}, team, service_provider_name, service_name, billing_currency
)

select
    costs.month,
    costs.team,
    costs.service_provider_name,
    costs.service_name,
    costs.billing_currency,
    costs.billed_cost,
    costs.effective_cost,
    rates.reporting_currency,
    rates.rate,
    rates.rate_valid_from,
    rates.rate_evidence,
    {% for cost in ['billed_cost', 'effective_cost'] %}
    case
        when costs.billing_currency = rates.reporting_currency then costs.{{ cost }}
        else {{ exact_product('costs.' ~ cost, 'rates.rate') }}
    end as reporting_{{ cost }},
    {% endfor %}
    rates.reason as unconverted_reason
from costs
inner join {{ ref('int_exchange_rates_chosen') }} as rates
    on costs.month = rates.month and costs.billing_currency = rates.billing_currency
