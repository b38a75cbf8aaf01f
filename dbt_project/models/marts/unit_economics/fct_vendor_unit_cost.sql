-- What the same thing costs elsewhere: a million tokens of one model and kind, or an hour of one class of GPU, at each
-- provider, region and terms, beside the cheapest of the month. Prices compare in the plan's reporting currency;
-- without a rate they compare among those in the same currency.
with converted as (
    select
        offers.*,
        {{ ratio('offers.effective_cost', 'offers.quantity') }} as unit_cost,
        {{ ratio('offers.list_cost', 'offers.quantity') }} as list_unit_cost,
        case
            when rates.rate is null then offers.billing_currency
            else rates.reporting_currency
        end as comparison_currency,
        {{ ratio('offers.effective_cost', 'offers.quantity') }} * coalesce(cast(rates.rate as double), 1)
            as comparison_unit_cost
    from {{ ref('int_offers_priced') }} as offers
    left join {{ ref('int_exchange_rates_chosen') }} as rates
        on offers.month = rates.month and offers.billing_currency = rates.billing_currency
),

compared as (
    select
        *,
        min(case when comparison_unit_cost > 0 then comparison_unit_cost end) over (
            partition by month, unit, item, token_kind, comparison_currency
        ) as cheapest_unit_cost,
        cast(count(*) over (partition by month, unit, item, token_kind, comparison_currency) as bigint) as offers
    from converted
)

select
    month,
    unit,
    item,
    token_kind,
    service_provider_name,
    region_id,
    terms,
    billing_currency,
    quantity,
    effective_cost,
    unit_cost,
    list_unit_cost,
    comparison_currency,
    comparison_unit_cost,
    cheapest_unit_cost,
    {{ ratio('comparison_unit_cost', 'cheapest_unit_cost') }} as price_index,
    offers
from compared
