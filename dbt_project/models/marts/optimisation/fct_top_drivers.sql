-- What moved the cost of each team from one week or month to the next, SKU by SKU: price, volume, mix, new,
-- ended, and what is billed without a quantity. The effects of a row add up to its change to the last digit. Of a
-- SKU in both periods: price is the change of its unit price at today's quantity; volume is what it would have
-- cost more had all SKUs of its team, service and unit grown alike; mix is the rest, that it grew more or less
-- than they. A period is compared once it is over and the lake holds the one before it whole. Tokens are counted as
-- elsewhere, by the bill or else by the vendor; a quantity that one of a day's charges lacks is unknown for all of
-- them.
with span as (
    select
        min(charge_date) as first_date,
        max(charge_date) as last_date
    from {{ ref('int_charges_summed') }}
    where charge_category = 'Usage' and is_spread is not true
),

token_services as (
    select
        service_provider_name,
        x_model,
        max(service_name) as service_name
    from {{ ref('int_charges_summed') }}
    where x_token_kind is not null
    group by service_provider_name, x_model
),

charges as (
    select
        charge_date,
        service_provider_name,
        service_name,
        coalesce(x_model, 'none') as model,
        coalesce(case when charge_category = 'Usage' then coalesce(sku_meter, sku_id) end, charge_category) as sku,
        coalesce(pricing_unit, consumed_unit, 'none') as unit,
        billing_currency,
        {{ subject_key() }} as subject_key,
        sum(effective_cost) as effective_cost,
        sum(case when pricing_unit is not null then pricing_quantity else consumed_quantity end) as quantity,
        max(case when coalesce(pricing_quantity, consumed_quantity) is null then 1 else 0 end) as is_uncounted
    from {{ ref('int_charges_by_day') }}
    where x_token_kind is null
    group by
        charge_date, service_provider_name, billing_account_id, sub_account_id, service_name, resource_id,
        resource_name, x_api_key_id, charge_description, x_model, tags, charge_category, sku_meter, sku_id,
        pricing_unit, consumed_unit, billing_currency
),

items as (
    select
        charges.charge_date,
        coalesce(attributed.team, 'unallocated') as team,
        charges.service_provider_name,
        charges.service_name,
        charges.model,
        charges.sku,
        charges.unit,
        charges.billing_currency,
        charges.effective_cost,
        cast(charges.quantity as decimal(38, 9)) as quantity,
        charges.is_uncounted
    from charges
    inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('charges.charge_date', 'periods') }}
    left join {{ ref('int_subjects_attributed') }} as attributed
        on charges.subject_key = attributed.subject_key and periods.rules_as_of = attributed.rules_as_of

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
),

costs as (
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
),

days as (
    select distinct charge_date from costs
),

periods as (
    select
        charge_date,
        'week' as period_kind,
        cast({{ dbt.date_trunc('week', 'charge_date') }} as date) as period_start
    from days
    union all
    select
        charge_date,
        'month' as period_kind,
        cast({{ dbt.date_trunc('month', 'charge_date') }} as date) as period_start
    from days
),

-- A day counts in its own period, and in the next one as the period before.
places as (
    select
        charge_date,
        period_kind,
        period_start,
        1 as is_current
    from periods
    union all
    select
        charge_date,
        period_kind,
        case
            when period_kind = 'week' then cast({{ dbt.dateadd('day', 7, 'period_start') }} as date)
            else cast({{ dbt.dateadd('month', 1, 'period_start') }} as date)
        end as period_start,
        0 as is_current
    from periods
),

whole as (
    select
        places.*,
        case
            when places.period_kind = 'week' then cast({{ dbt.dateadd('day', -7, 'places.period_start') }} as date)
            else cast({{ dbt.dateadd('month', -1, 'places.period_start') }} as date)
        end as previous_start,
        case
            when places.period_kind = 'week' then cast({{ dbt.dateadd('day', 6, 'places.period_start') }} as date)
            else {{ dbt.last_day('places.period_start', 'month') }}
        end as period_last_day
    from places
),

compared as (
    select
        whole.period_kind,
        whole.period_start,
        whole.previous_start,
        costs.team,
        costs.service_provider_name,
        costs.service_name,
        costs.model,
        costs.sku,
        costs.unit,
        costs.billing_currency,
        sum(case when whole.is_current = 0 then costs.effective_cost else 0 end) as previous_cost,
        sum(case when whole.is_current = 1 then costs.effective_cost else 0 end) as current_cost,
        sum(case when whole.is_current = 1 then costs.effective_cost else -costs.effective_cost end) as cost_change,
        sum(case when whole.is_current = 0 then costs.quantity end) as previous_quantity,
        sum(case when whole.is_current = 1 then costs.quantity end) as current_quantity,
        case
            when sum(case when whole.is_current = 0 then 1 else 0 end) = 0 then 'new'
            when sum(whole.is_current) = 0 then 'ended'
            when count(costs.quantity) < count(*) then 'uncounted'
            when sum(case when whole.is_current = 0 then costs.quantity end) <= 0 then 'uncounted'
            when sum(case when whole.is_current = 1 then costs.quantity end) <= 0 then 'uncounted'
            else 'continuing'
        end as change_kind
    from costs
    inner join whole on costs.charge_date = whole.charge_date
    inner join span on whole.previous_start >= span.first_date and whole.period_last_day <= span.last_date
    group by
        whole.period_kind, whole.period_start, whole.previous_start, costs.team, costs.service_provider_name,
        costs.service_name, costs.model, costs.sku, costs.unit, costs.billing_currency
),

grouped as (
    select
        *,
        count(*) over alike as skus_alike,
        {{ ratio('sum(current_quantity) over alike', 'sum(previous_quantity) over alike') }} as growth_alike
    from compared
    window
        alike as (
            partition by
                period_kind, period_start, team, service_provider_name, service_name, unit, billing_currency,
                change_kind
        )
),

priced as (
    select
        *,
        case
            when change_kind = 'continuing'
                then {{ as_amount(
                    'cast(current_cost as double) - cast(previous_cost as double) * ('
                    ~ ratio('current_quantity', 'previous_quantity') ~ ')'
                ) }}
            else cast(0 as decimal(38, 18))
        end as price_effect
    from grouped
),

rest as (
    select
        *,
        {{ exact_difference('cost_change', 'price_effect') }} as unpriced_change
    from priced
),

measured as (
    select
        *,
        case
            when change_kind <> 'continuing' then cast(0 as decimal(38, 18))
            when skus_alike = 1 then unpriced_change
            else {{ as_amount('cast(previous_cost as double) * (growth_alike - 1)') }}
        end as volume_effect
    from rest
)

select
    period_kind,
    period_start,
    previous_start,
    team,
    service_provider_name,
    service_name,
    model,
    sku,
    unit,
    billing_currency,
    change_kind,
    previous_cost,
    current_cost,
    cost_change,
    previous_quantity,
    current_quantity,
    {{ ratio('previous_cost', 'previous_quantity') }} as previous_price,
    {{ ratio('current_cost', 'current_quantity') }} as current_price,
    price_effect,
    volume_effect,
    case
        when change_kind = 'continuing' then {{ exact_difference('unpriced_change', 'volume_effect') }}
        else cast(0 as decimal(38, 18))
    end as mix_effect,
    case when change_kind = 'new' then cost_change else cast(0 as decimal(38, 18)) end as new_effect,
    case when change_kind = 'ended' then cost_change else cast(0 as decimal(38, 18)) end as ended_effect,
    case when change_kind = 'uncounted' then cost_change else cast(0 as decimal(38, 18)) end as uncounted_effect,
    cast(
        row_number() over (
            partition by period_kind, period_start, billing_currency
            order by
                abs(cost_change) desc, team asc, service_provider_name asc, service_name asc, model asc, sku asc,
                unit asc, billing_currency asc
        ) as bigint
    ) as driver_rank
from measured
