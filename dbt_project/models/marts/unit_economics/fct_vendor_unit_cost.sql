-- What the same thing costs elsewhere: a million tokens of one model and kind, or an hour of one class of GPU, at each
-- provider, region and terms, beside the cheapest of the month. Prices compare in the plan's reporting currency;
-- without a rate they compare among those in the same currency. Tokens are those of the bill, with its region, else
-- those that the vendor counted beside it, whose region nobody tells; charges that name no model are no offer of one.
-- A GPU costs its whole machine: hours of a GPU or of an instance type, and whatever else the same resource is billed
-- for by use (its cores and memory, where a provider bills a machine by its parts).
with token_charges as (
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
),

machine_charges as (
    select
        charges.charge_date,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.resource_id,
        coalesce(charges.region_id, 'unknown') as region_id,
        case
            when charges.commitment_discount_status = 'Used' then 'committed'
            when charges.pricing_category = 'Dynamic' then 'spot'
            else 'on demand'
        end as terms,
        charges.billing_currency,
        charges.effective_cost,
        charges.list_cost,
        {{ plain_instance_type(json_text('charges.sku_price_details', 'InstanceType')) }} as instance_type,
        coalesce(resources.gpu_model, {{ json_text('charges.sku_price_details', 'x_GpuModel') }}) as gpu_model,
        cast({{ json_text('charges.sku_price_details', 'GpuCount') }} as double) as billed_gpus,
        resources.devices,
        case charges.consumed_unit
            when 'Hours' then cast(charges.consumed_quantity as double)
            when 'Minutes' then cast(charges.consumed_quantity as double) / 60
            when 'Seconds' then cast(charges.consumed_quantity as double) / 3600
        end as hours
    from {{ ref('int_charges_by_day') }} as charges
    inner join {{ ref('int_compute_resources_found') }} as resources
        on charges.billing_account_id = resources.billing_account_id and charges.resource_id = resources.resource_id
    where charges.charge_category = 'Usage' and coalesce(charges.commitment_discount_status, 'Used') = 'Used'
),

-- A machine without telemetry has the class of other machines of its instance type; where there are none, its instance
-- type stands for the class.
types as (
    select
        instance_type,
        min(gpu_model) as gpu_model
    from machine_charges
    where instance_type is not null and gpu_model is not null
    group by instance_type
),

gpu_charges as (
    select
        charges.*,
        max(coalesce(charges.gpu_model, types.gpu_model, charges.instance_type)) over (
            partition by charges.billing_account_id, charges.resource_id
        ) as gpu_class,
        -- Machine hours times the GPUs that the bill names, else those that telemetry counted; null on parts of a
        -- machine that are no GPU.
        case
            when charges.billed_gpus is not null then charges.hours * charges.billed_gpus
            when charges.instance_type is not null then charges.hours * charges.devices
        end as gpu_hours
    from machine_charges as charges
    left join types on charges.instance_type = types.instance_type
),

offers as (
    select
        {{ month_text('charge_date') }} as month,
        'million tokens' as unit,
        model as item,
        token_kind,
        service_provider_name,
        region_id,
        terms,
        billing_currency,
        cast(sum(tokens) as double) / 1000000 as quantity,
        sum(effective_cost) as effective_cost,
        case when count(list_cost) = count(*) then sum(list_cost) end as list_cost
    from token_charges
    group by
        {{ month_text('charge_date') }}, model, token_kind, service_provider_name, region_id, terms, billing_currency

    union all

    select
        {{ month_text('charge_date') }} as month,
        'gpu hour' as unit,
        gpu_class as item,
        cast(null as string) as token_kind,
        service_provider_name,
        region_id,
        terms,
        billing_currency,
        sum(gpu_hours) as quantity,
        sum(effective_cost) as effective_cost,
        case when count(list_cost) = count(*) then sum(list_cost) end as list_cost
    from gpu_charges
    where gpu_class is not null
    group by {{ month_text('charge_date') }}, gpu_class, service_provider_name, region_id, terms, billing_currency
    having sum(gpu_hours) > 0
),

converted as (
    select
        offers.*,
        {{ ratio('offers.effective_cost', 'offers.quantity') }} as unit_cost,
        {{ ratio('offers.list_cost', 'offers.quantity') }} as list_unit_cost,
        coalesce(rates.reporting_currency, offers.billing_currency) as comparison_currency,
        {{ ratio('offers.effective_cost', 'offers.quantity') }} * coalesce(cast(rates.rate as double), 1)
            as comparison_unit_cost
    from offers
    left join {{ ref('int_exchange_rates_chosen') }} as rates
        on offers.month = rates.month and offers.billing_currency = rates.billing_currency and rates.rate is not null
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
