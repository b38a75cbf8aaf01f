-- What each team paid for each SKU and model on each day, and for how much of it. Tokens are counted as
-- elsewhere, by the bill or else by the vendor; a quantity that one of the charges lacks is unknown for all of
-- them.
with token_services as (
    select
        service_provider_name,
        x_model,
        max(service_name) as service_name
    from {{ ref('int_charges_summed') }}
    where x_token_kind is not null
    group by service_provider_name, x_model
),

daily as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        service_name,
        resource_id,
        resource_name,
        x_api_key_id,
        charge_description,
        x_model,
        tags,
        coalesce(case when charge_category = 'Usage' then coalesce(sku_meter, sku_id) end, charge_category) as sku,
        coalesce(pricing_unit, consumed_unit) as unit,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(case when pricing_unit is not null then pricing_quantity else consumed_quantity end) as quantity,
        max(case when coalesce(pricing_quantity, consumed_quantity) is null then 1 else 0 end) as is_uncounted
    from {{ ref('int_charges_by_day') }}
    where x_token_kind is null
    group by
        charge_date, service_provider_name, billing_account_id, sub_account_id, service_name, resource_id,
        resource_name, x_api_key_id, charge_description, x_model, tags,
        coalesce(case when charge_category = 'Usage' then coalesce(sku_meter, sku_id) end, charge_category),
        coalesce(pricing_unit, consumed_unit), billing_currency
),

keyed as (
    select
        daily.*,
        periods.rules_as_of,
        {{ subject_key() }} as subject_key
    from daily
    inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('daily.charge_date', 'periods') }}
),

items as (
    select
        keyed.charge_date,
        coalesce(attributed.team, 'unallocated') as team,
        keyed.service_provider_name,
        keyed.service_name,
        coalesce(keyed.x_model, 'none') as model,
        keyed.sku,
        coalesce(keyed.unit, 'none') as unit,
        keyed.billing_currency,
        keyed.effective_cost,
        cast(keyed.quantity as decimal(38, 9)) as quantity,
        keyed.is_uncounted
    from keyed
    left join {{ ref('int_subjects_attributed') }} as attributed
        on keyed.subject_key = attributed.subject_key and keyed.rules_as_of = attributed.rules_as_of

    union all

    select
        tokens.charge_date,
        tokens.team,
        tokens.service_provider_name,
        token_services.service_name,
        coalesce(tokens.x_model, 'unknown') as model,
        concat_ws(' ', tokens.x_token_kind, tokens.x_service_tier) as sku,
        'Tokens' as unit,
        tokens.billing_currency,
        tokens.effective_cost,
        cast(tokens.tokens as decimal(38, 9)) as quantity,
        case when tokens.tokens is null then 1 else 0 end as is_uncounted
    from {{ ref('int_token_charges_counted') }} as tokens
    left join token_services
        on
            tokens.service_provider_name = token_services.service_provider_name
            and coalesce(tokens.x_model, '') = coalesce(token_services.x_model, '')
)

select
    charge_date,
    team,
    service_provider_name,
    service_name,
    model,
    sku,
    unit,
    billing_currency,
    sum(effective_cost) as effective_cost,
    case when max(is_uncounted) = 0 then sum(quantity) end as quantity
from items
group by charge_date, team, service_provider_name, service_name, model, sku, unit, billing_currency
