-- Azure cost details, actual (EA, MCA and older pay-as-you-go headers), with the amortized export beside it → FOCUS Cost and Usage.
-- A charge that stands in both exports is one charge: BilledCost is its actual cost, EffectiveCost its amortized cost.
--   Only in the actual export (a reservation bought): EffectiveCost 0, because its cost is in the days it covers.
--   Only in the amortized export (unused hours of a reservation): BilledCost 0.
-- So BilledCost always adds up to the actual export and EffectiveCost, once it is there, to the amortized one.
--   Until the amortized export of a month is delivered nothing of it is spread: EffectiveCost is BilledCost.
-- Quantity × EffectivePrice is Cost without scaling: a UnitOfMeasure of 10K says in which unit Quantity is, not what to divide by.
-- Older headers name no billing account: there the subscription is what is billed.
-- dataset: cost_and_usage
-- formats: csv, parquet
-- needs: subscription_id, meter_category, consumed_service
-- account: coalesce(billing_account_id, subscription_id)
-- dates: date, billing_period_start_date, billing_period_end_date
-- month: strftime(coalesce(billing_period_start_date, date), '%Y-%m')
-- billed: cost in billing_currency
-- origin: ChargeCategory from charge_type
create table raw (
    billing_account_id varchar,
    billing_account_name varchar,
    billing_period_start_date date,
    billing_period_end_date date,       -- not needed, but the last of a month tells how the file writes dates
    invoice_id varchar,
    subscription_id varchar,
    subscription_name varchar,

    date date not null,
    charge_type varchar,
    frequency varchar,
    cost decimal(38, 18) not null,
    billing_currency varchar not null,
    pricing_currency varchar,
    exchange_rate_pricing_to_billing decimal(38, 18),
    quantity decimal(38, 18),
    unit_of_measure varchar,
    effective_price decimal(38, 18),
    unit_price decimal(38, 18),
    pay_g_price decimal(38, 18),
    pricing_model varchar,

    meter_id varchar,
    meter_category varchar,
    meter_sub_category varchar,
    meter_name varchar,
    part_number varchar,
    product_id varchar,
    product varchar,
    consumed_service varchar,
    publisher_type varchar,
    publisher_name varchar,

    resource_id varchar,
    resource_name varchar,
    resource_location varchar,
    availability_zone varchar,
    additional_info varchar,
    tags varchar,

    benefit_id varchar,
    benefit_name varchar,
    reservation_id varchar,
    reservation_name varchar
);

-- The latest amortized export of the same accounts and months, empty until one is delivered.
create table azure_amortized as from raw limit 0;

with kinds(kind, category, frequency) as (values    -- a charge type missing here leaves ChargeCategory NULL, which the lake refuses
    ('usage', 'Usage', 'Usage-Based'),
    ('unusedreservation', 'Usage', 'Usage-Based'),
    ('unusedsavingsplan', 'Usage', 'Usage-Based'),
    ('purchase', 'Purchase', 'One-Time'),
    ('refund', 'Purchase', 'One-Time'),             -- Azure refunds purchases only
    ('roundingadjustment', 'Adjustment', 'One-Time'),
    ('tax', 'Tax', 'Recurring'),
    ('credit', 'Credit', 'One-Time')
),
delivered as (
    select *, 'actual' as export from raw
    union all by name
    select *, 'amortized' as export from azure_amortized
),
dated as (
    select
        *,
        coalesce(billing_account_id, subscription_id) as account,
        cast(date as timestamptz) as charge_date,
        cast(coalesce(billing_period_start_date, date_trunc('month', date)) as timestamptz) as period_start,
        lower(coalesce(charge_type, if(frequency is null, 'Usage', null))) as kind      -- older headers have neither column: all is usage
    from delivered
),
identified as (     -- Azure gives rows no id, and equal rows do occur: the n-th of them here is the n-th of them there
    select
        *,
        row_number() over (
            partition by
                export, account, period_start, charge_date, billing_currency, kind, pricing_model, subscription_id, lower(resource_id), meter_id,
                part_number, product_id, product, lower(resource_location), benefit_id, reservation_id
            order by quantity, additional_info, tags, x_source_file, x_source_row
        ) as nth
    from dated
),
paired as (
    select
        min_by(identified, export) as charge,
        coalesce(sum(cost) filter (where export = 'actual'), 0) as actual_cost,
        coalesce(sum(cost) filter (where export = 'amortized'), 0) as amortized_cost
    from identified
    group by
        account, period_start, charge_date, billing_currency, kind, pricing_model, subscription_id, lower(resource_id), meter_id,
        part_number, product_id, product, lower(resource_location), benefit_id, reservation_id, nth
),
amortized_months as (
    select distinct account, period_start from dated where export = 'amortized'
),
charges as (
    select
        charge.*,
        actual_cost,
        amortized_months.account is not null as is_amortized,
        if(is_amortized, amortized_cost, actual_cost) as effective_cost,
        kinds.category,
        kinds.frequency as usual_frequency,
        charge.kind like 'unused%' as is_unused,
        kinds.category in ('Usage', 'Purchase') and charge.meter_id is not null as is_sku,
        case
            when is_unused or kinds.category = 'Purchase' or charge.pricing_model in ('Reservation', 'SavingsPlan')
            then coalesce(charge.benefit_id, charge.reservation_id)
        end as commitment_id,
        charge.pricing_model is not distinct from 'SavingsPlan' or charge.kind = 'unusedsavingsplan' as is_spend,
        nullif(if(charge.tags like '{%', charge.tags, '{' || charge.tags || '}'), '{}') as tag_json,       -- EA writes the pairs without braces
        try_cast(if(charge.additional_info like '{%', charge.additional_info, '{' || charge.additional_info || '}') as json) as info,
        lower(replace(charge.resource_location, ' ', '')) as location,
        coalesce(
            lower(charge.meter_category || ' ' || charge.meter_sub_category) similar to '.*(openai|foundry|models).*' and lower(charge.meter_name) similar to '.*tokens?', false
        ) as is_tokens,
        ' ' || regexp_replace(lower(charge.meter_name), '[-_ ]+', '  ', 'g') || ' ' as words,              -- 'gpt-4o-0806-Inp-glbl Tokens' → ' gpt  4o  0806  inp  glbl  tokens '
        azure_units.pricing_unit,
        azure_units.consumed_unit,
        cast(azure_units.block as decimal(9, 0)) as block,
        -- MCA prices are in the pricing currency
        if(charge.pricing_currency is null or charge.pricing_currency = charge.billing_currency, 1, charge.exchange_rate_pricing_to_billing) as exchange_rate,
        coalesce(nullif(charge.pay_g_price, 0), charge.unit_price, charge.effective_price) as list_price,  -- PayGPrice is 0 on usage a reservation covers
        coalesce(charge.unit_price, charge.effective_price) as contracted_price
    from paired
    left join amortized_months on amortized_months.account = charge.account and amortized_months.period_start = charge.period_start
    left join kinds on kinds.kind = charge.kind
    left join azure_units on azure_units.delivered_unit = charge.unit_of_measure
),
priced as (
    select
        *,
        case when is_sku and not is_unused and quantity is not null and unit_of_measure is not null then quantity end as priced_quantity,
        -- 9 decimals each keep price × quantity exact inside DECIMAL(38,18). Only then is there a unit price, because FOCUS
        -- wants the product to be the cost to the last digit. Otherwise the cost is the product to 15 significant digits.
        case when exchange_rate = 1 and try_cast(quantity as decimal(19, 9)) = quantity then try_cast(quantity as decimal(19, 9)) end as exact_quantity,
        case when try_cast(list_price as decimal(19, 9)) = list_price then try_cast(list_price as decimal(19, 9)) end as exact_list_price,
        case when try_cast(contracted_price as decimal(19, 9)) = contracted_price then try_cast(contracted_price as decimal(19, 9)) end as exact_contracted_price,
        if(export = 'actual', actual_cost, effective_cost) as own_cost,
        case
            when is_unused then 0
            when category = 'Usage' then coalesce(
                exact_list_price * exact_quantity,
                cast(printf('%.15g', cast(list_price as double) * cast(quantity as double) * cast(exchange_rate as double)) as decimal(38, 18)),
                own_cost
            )
            else own_cost
        end as list_cost,
        case
            when is_unused then 0
            when category = 'Usage' then coalesce(
                exact_contracted_price * exact_quantity,
                cast(printf('%.15g', cast(contracted_price as double) * cast(quantity as double) * cast(exchange_rate as double)) as decimal(38, 18)),
                own_cost
            )
            else own_cost
        end as contracted_cost,

        case
            when not is_tokens or regexp_matches(words, ' (ft|trng|training|hstng|grader) ') then null     -- training a model is no inference
            when regexp_matches(words, ' (cd|cached|cchd|cache)  (wr|write) ') then 'cache_write_5m'
            when regexp_matches(words, ' (cd|cached|cchd|ccchd|cache) ') then 'cache_read'
            when regexp_matches(words, ' (outp|outpt|output|opt|out) ') then 'output'
            when regexp_matches(words, ' (inp|inpt|input|in|embedding|ada|embed) ') then 'input_uncached'
        end as token_kind,
        -- what is left without direction, deployment, tier, modality, unit and date is the model
        trim(regexp_replace(regexp_replace(
            words,
            ' (inp|inpt|input|in|outp|outpt|output|opt|out|cd|cached|cchd|ccchd|cache|wr|write|glbl|gl|global|regnl|rgnl|regional|rg|dzone|dzn|dz|data|zone|std|standard|pp|priority|flex|batch|ft|trng|training|dev|tkn|shortco|longco|aud|audio|txt|text|img|image|prvw|1m|1k|tokens?|[0-9]{4}|[0-9]{8}) ', ' ', 'g'),
            ' +', ' ', 'g'
        )) as model_words
    from charges
)
select
    account as BillingAccountId,
    billing_account_name as BillingAccountName,
    if(billing_account_id is null, 'Subscription', 'Billing Account') as BillingAccountType,
    subscription_id as SubAccountId,
    case when subscription_id is not null then subscription_name end as SubAccountName,
    case when subscription_id is not null then 'Subscription' end as SubAccountType,
    if(publisher_type = 'Marketplace' and publisher_name is not null, publisher_name, 'Microsoft') as ServiceProviderName,
    'Microsoft' as HostProviderName,
    'Microsoft' as InvoiceIssuerName,
    invoice_id as InvoiceId,

    period_start as BillingPeriodStart,
    period_start + interval 1 month as BillingPeriodEnd,
    charge_date as ChargePeriodStart,
    charge_date + interval 1 day as ChargePeriodEnd,

    category as ChargeCategory,
    if(charge_date < period_start, 'Correction', null) as ChargeClass,      -- a day of an earlier month in this month's bill
    coalesce(case lower(frequency) when 'usagebased' then 'Usage-Based' when 'recurring' then 'Recurring' when 'onetime' then 'One-Time' end, usual_frequency, 'Usage-Based') as ChargeFrequency,    -- an unknown kind is refused for its category alone
    coalesce(product, meter_name) as ChargeDescription,

    coalesce(by_meter.service_name, by_provider.service_name, meter_category, consumed_service, 'Azure') as ServiceName,
    coalesce(by_meter.service_category, by_provider.service_category, 'Other') as ServiceCategory,
    coalesce(by_meter.service_subcategory, by_provider.service_subcategory, 'Other (Other)') as ServiceSubcategory,
    coalesce(azure_regions.region_id, location) as RegionId,
    coalesce(azure_regions.region_name, resource_location) as RegionName,
    availability_zone as AvailabilityZone,

    case when is_sku then meter_id end as SkuId,
    case when is_sku then coalesce(part_number, product_id || '_' || meter_id, meter_id) end as SkuPriceId,
    case when is_sku then meter_name end as SkuMeter,
    case when is_sku and info ->> 'ServiceType' is not null then json_merge_patch(json_object('InstanceType', info ->> 'ServiceType'), json_object('CoreCount', try_cast(info ->> 'VCPUs' as bigint))) end as SkuPriceDetails,
    case
        when not is_sku then null
        when category = 'Usage' and pricing_model in ('Reservation', 'SavingsPlan') or is_unused then 'Committed'
        when pricing_model = 'Spot' then 'Dynamic'
        else 'Standard'
    end as PricingCategory,
    priced_quantity as PricingQuantity,
    case when priced_quantity is not null then if(is_tokens and block > 1, block || ' Tokens', coalesce(pricing_unit, unit_of_measure)) end as PricingUnit,
    case when category = 'Usage' then priced_quantity * coalesce(block, 1) end as ConsumedQuantity,
    case when ConsumedQuantity is not null then if(is_tokens and block is not null, 'Tokens', coalesce(consumed_unit, unit_of_measure)) end as ConsumedUnit,
    case when is_sku and list_price >= 0 and exact_list_price * exact_quantity = list_cost and priced_quantity is not null then list_price end as ListUnitPrice,
    case when is_sku and contracted_price >= 0 and exact_contracted_price * exact_quantity = contracted_cost and priced_quantity is not null then contracted_price end as ContractedUnitPrice,

    commitment_id as CommitmentDiscountId,
    case when commitment_id is not null then coalesce(benefit_name, reservation_name) end as CommitmentDiscountName,
    case when commitment_id is not null then if(is_spend, 'Spend', 'Usage') end as CommitmentDiscountCategory,
    case when commitment_id is not null then if(is_spend, 'Savings Plan', 'Reservation') end as CommitmentDiscountType,
    case when commitment_id is null or category <> 'Usage' then null when is_unused then 'Unused' else 'Used' end as CommitmentDiscountStatus,
    case
        when commitment_id is null or not is_sku or kind = 'refund' then null
        when not is_spend then quantity
        when category = 'Purchase' then actual_cost
        when is_amortized then effective_cost
    end as CommitmentDiscountQuantity,
    case when CommitmentDiscountQuantity is not null then if(is_spend, billing_currency, coalesce(pricing_unit, unit_of_measure, 'Units')) end as CommitmentDiscountUnit,

    if(commitment_id is not null and (is_unused or category = 'Purchase'), commitment_id, resource_id) as ResourceId,
    case when ResourceId is null then null when ResourceId = commitment_id then CommitmentDiscountName else coalesce(resource_name, regexp_extract(resource_id, '[^/]+$')) end as ResourceName,
    case when ResourceId is null then null when ResourceId = commitment_id then CommitmentDiscountType else nullif(regexp_extract(resource_id, '(?i)/providers/([^/]+/[^/]+)/[^/]+', 1), '') end as ResourceType,

    billing_currency as BillingCurrency,
    coalesce(pricing_currency, billing_currency) as PricingCurrency,
    actual_cost as BilledCost,
    effective_cost as EffectiveCost,
    contracted_cost as ContractedCost,
    list_cost as ListCost,

    tag_json as Tags,
    -- '5.4 nano' → gpt-5.4-nano, 'gpt4o' → gpt-4o, 'gpt-35-turbo' → gpt-3.5-turbo, 'V3.1' of DeepSeek → deepseek-v3.1
    case when is_tokens then regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        replace(if(lower(meter_sub_category) like '%deepseek%' and model_words not like 'deepseek%', 'deepseek ' || model_words, model_words), ' ', '-'),
        '^([0-9])', 'gpt-\1'), '^gpt([0-9])', 'gpt-\1'), '^gpt-35', 'gpt-3.5'), '^embedding-', 'text-embedding-')
    end as x_Model,
    token_kind as x_TokenKind,
    case
        when token_kind is null then null
        when words like '% batch %' then 'batch'
        when regexp_matches(words, ' (pp|priority) ') then 'priority'
        when words like '% flex %' then 'flex'
        else 'standard'
    end as x_ServiceTier,
    x_source_file as x_SourceFile,
    x_source_row as x_SourceRow,
    if(export = 'actual', 1, 2) as x_SourcePart     -- both exports may name their files part_0_0001.csv
from priced
left join azure_services as by_meter on by_meter.delivered_service = case when meter_sub_category ilike '%openai%' then 'azure openai' else lower(meter_category) end
left join azure_services as by_provider on by_provider.delivered_service = lower(consumed_service)
left join azure_regions on delivered_location = location
