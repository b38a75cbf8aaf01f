-- What tokens of each model and kind cost in a month at each provider, region and terms. Tokens are those of the bill,
-- with its region, else those that the vendor counted beside it, whose region nobody tells. Charges that name no model
-- are no offer of one.
with charges as (
    select
        charge_date,
        x_model as model,
        x_token_kind as token_kind,
        service_provider_name,
        coalesce(region_id, 'unknown') as region_id,
        case
            when commitment_discount_status = 'Used' then 'committed'
            else coalesce(x_service_tier, 'standard')
        end as terms,
        billing_currency,
        consumed_quantity as tokens,
        effective_cost,
        list_cost
    from {{ ref('int_charges_by_day') }}
    where x_token_kind is not null and x_model is not null and consumed_unit = 'Tokens' and consumed_quantity > 0

    union all

    select
        charge_date,
        x_model as model,
        x_token_kind as token_kind,
        service_provider_name,
        'unknown' as region_id,
        coalesce(x_service_tier, 'standard') as terms,
        billing_currency,
        tokens,
        effective_cost,
        cast(null as decimal(38, 18)) as list_cost
    from {{ ref('int_token_charges_counted') }}
    where token_source = 'usage' and x_model is not null and tokens > 0
)

select
    {{ month_text('charge_date') }} as month,
    model,
    token_kind,
    service_provider_name,
    region_id,
    terms,
    billing_currency,
    cast(sum(tokens) as double) / 1000000 as million_tokens,
    sum(effective_cost) as effective_cost,
    case when count(list_cost) = count(*) then sum(list_cost) end as list_cost
from charges
group by
    {{ month_text('charge_date') }}, model, token_kind, service_provider_name, region_id, terms, billing_currency
