-- Azure cost details, actual (EA, MCA and older pay-as-you-go headers), with the amortized export beside it → FOCUS Cost and Usage.
-- A charge that stands in both exports is one charge: BilledCost is its actual cost, EffectiveCost its amortized cost.
--   Only in the actual export (a reservation bought): EffectiveCost 0, because its cost is in the days it covers.
--   Only in the amortized export (unused hours of a reservation): BilledCost 0.
-- So BilledCost always adds up to the actual export and EffectiveCost, once it is there, to the amortized one.
--   Until the amortized export of a month is delivered nothing of it is spread: EffectiveCost is BilledCost.
-- quirk: Quantity × EffectivePrice is Cost without scaling: a UnitOfMeasure of 10K says in which unit Quantity is, not what to divide by; ConsumedQuantity is in single units and tokens.
-- quirk: Dates may be 09/30/2026, 30/09/2026, 30.09.2026 or 2026-09-30 00:00:00; each file is read in one order, and refused where nothing in it tells which.
-- quirk: Older headers name no billing account: there the subscription is what is billed; without charge types every row is usage.
-- quirk: A purchase names the reservation or savings plan order and usage the plan within it, so the order is the CommitmentDiscountId of both.
-- quirk: Tags and AdditionalInfo may be written without braces; headers in any case, and in another language with the English name in brackets.
-- quirk: MCA prices are in the pricing currency and costs in the billing currency; both are kept, at the row's own exchange rate.
-- quirk: Meters of AI models are free text, from which model, direction, cache, tier, fine-tuning and region scope (global, geo for a data zone, regional) are read.
-- quirk: Exports written anew each day leave every day's copy of the month in the folder; the newest manifest of a scope, dataset and month decides.
-- not covered: Exports that name no currency are refused: no amount is published without one.
-- not covered: How long a model's cache was written for is not in the meter: a cache write counts as one of five minutes.
-- dataset: cost_and_usage
-- formats: csv, parquet
-- needs: subscription_id, meter_category, consumed_service
-- account: coalesce(billing_account_id, subscription_id)
-- dates: date, billing_period_start_date, billing_period_end_date
-- month: strftime(coalesce(billing_period_start_date, date), '%Y-%m')
-- null: NULL, null
-- billed: cost in billing_currency
-- conserves: EffectiveCost of azure_amortized from cost
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
    cost_in_pricing_currency decimal(38, 18),
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
    reservation_name varchar,
    product_order_id varchar
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
dated as not materialized (
    select
        -- exports without pricing models (c360) show a reservation only by its id
        * replace (coalesce(pricing_model, if(reservation_id is not null, 'Reservation', null)) as pricing_model),
        coalesce(billing_account_id, subscription_id) as account,
        cast(date as timestamptz) as charge_date,
        cast(coalesce(billing_period_start_date, date_trunc('month', date)) as timestamptz) as period_start,
        lower(coalesce(charge_type, if(frequency is null, 'Usage', null))) as kind,     -- older headers have neither column: all is usage
        md5_number(concat_ws(
            chr(31), account, period_start, charge_date, billing_currency, kind, coalesce(pricing_model, ''), coalesce(subscription_id, ''),
            coalesce(lower(resource_id), ''), coalesce(meter_id, ''), coalesce(part_number, ''), coalesce(product_id, ''), coalesce(product, ''),
            coalesce(lower(resource_location), ''), coalesce(benefit_id, ''), coalesce(reservation_id, '')
        )) as identity
    from delivered
),
-- Azure gives rows no id, and equal rows do occur: the n-th of them here is the n-th of them there. They are few, and
-- only they are sorted; all others stream by.
repeated as (
    select export, identity from dated group by all having count(*) > 1
),
identified as not materialized (
    select *, 1 as nth from dated anti join repeated using (export, identity)
    union all
    select
        *, row_number() over (partition by export, identity order by quantity, additional_info, tags, x_source_file, x_source_row) as nth
    from dated semi join repeated using (export, identity)
),
paired as (
    select
        actual.*,
        actual.cost as actual_cost,
        coalesce(amortized.cost, 0) as amortized_cost,
        actual.cost_in_pricing_currency as actual_in_pricing_currency,
        amortized.cost_in_pricing_currency as amortized_in_pricing_currency
    from identified as actual
    left join (
        select identity, nth, cost, cost_in_pricing_currency from identified where export = 'amortized'
    ) as amortized on amortized.identity = actual.identity and amortized.nth = actual.nth
    where actual.export = 'actual'
    union all
    select *, 0, cost, null, cost_in_pricing_currency
    from identified as amortized
    where
        export = 'amortized' and not exists (
            select 1 from identified as actual where actual.export = 'actual' and actual.identity = amortized.identity and actual.nth = amortized.nth
        )
),
amortized_months as (
    select distinct account, period_start from dated where export = 'amortized'
),
charges as (
    select
        charge.*,
        amortized_months.account is not null as is_amortized,
        if(is_amortized, amortized_cost, actual_cost) as effective_cost,
        if(is_amortized, amortized_in_pricing_currency, actual_in_pricing_currency) as effective_in_pricing_currency,
        kinds.category,
        kinds.frequency as usual_frequency,
        charge.kind like 'unused%' as is_unused,
        kinds.category in ('Usage', 'Purchase') and charge.meter_id is not null as is_sku,
        case
            when is_unused or kinds.category = 'Purchase' or charge.pricing_model in ('Reservation', 'SavingsPlan')
            then coalesce(
                regexp_replace(charge.benefit_id, '(?i)/(reservations|savingsPlans)/[^/]*$', ''),
                if(charge.reservation_id is not null, '/providers/Microsoft.Capacity/reservationOrders/' || coalesce(charge.product_order_id, charge.reservation_id), null)
            )
        end as commitment_id,
        charge.pricing_model is not distinct from 'SavingsPlan' or charge.kind = 'unusedsavingsplan' as is_spend,
        nullif(if(charge.tags like '{%', charge.tags, '{' || charge.tags || '}'), '{}') as tag_json,       -- EA writes the pairs without braces
        try_cast(if(charge.additional_info like '{%', charge.additional_info, '{' || charge.additional_info || '}') as json) as info,
        lower(replace(charge.resource_location, ' ', '')) as location,
        coalesce(lower(concat_ws(' ', charge.meter_category, charge.meter_sub_category)) similar to '.*(openai|foundry|models).*', false) as is_ai,
        is_ai and coalesce(lower(charge.meter_name) similar to '.*tokens?', false) as is_tokens,
        if(is_ai, azure_words(charge.meter_name), null) as words,
        azure_units.pricing_unit,
        azure_units.consumed_unit,
        cast(azure_units.block as decimal(9, 0)) as block,
        coalesce(charge.pricing_currency, charge.billing_currency) as currency_of_prices,
        if(currency_of_prices = charge.billing_currency, 1, charge.exchange_rate_pricing_to_billing) as exchange_rate,
        coalesce(nullif(charge.pay_g_price, 0), charge.unit_price, charge.effective_price) as list_price,  -- PayGPrice is 0 on usage a reservation covers
        coalesce(charge.unit_price, charge.effective_price) as contracted_price
    from paired as charge
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
        case when try_cast(quantity as decimal(19, 9)) = quantity then try_cast(quantity as decimal(19, 9)) end as exact_quantity,
        case when try_cast(exchange_rate as decimal(19, 9)) = exchange_rate then try_cast(exchange_rate as decimal(19, 9)) end as exact_rate,
        case when try_cast(list_price as decimal(19, 9)) = list_price then try_cast(list_price as decimal(19, 9)) * exact_rate end as billing_list_price,
        case when try_cast(contracted_price as decimal(19, 9)) = contracted_price then try_cast(contracted_price as decimal(19, 9)) * exact_rate end as billing_contracted_price,
        case when try_cast(billing_list_price as decimal(19, 9)) = billing_list_price then try_cast(billing_list_price as decimal(19, 9)) end as exact_list_price,
        case when try_cast(billing_contracted_price as decimal(19, 9)) = billing_contracted_price then try_cast(billing_contracted_price as decimal(19, 9)) end as exact_contracted_price,
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

        case when is_tokens then azure_token_kind(words) end as token_kind,
        nullif(
            json_merge_patch(
                '{}',
                json_object(
                    'InstanceType', info ->> 'ServiceType', 'CoreCount', try_cast(info ->> 'VCPUs' as bigint), 'x_RegionScope', azure_region_scope(words)
                )
            ),
            '{}'
        ) as price_details
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
    case when is_sku then price_details end as SkuPriceDetails,
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
    case when list_price >= 0 and exact_list_price * exact_quantity = list_cost and priced_quantity is not null then exact_list_price end as ListUnitPrice,
    case when contracted_price >= 0 and exact_contracted_price * exact_quantity = contracted_cost and priced_quantity is not null then exact_contracted_price end as ContractedUnitPrice,
    case when list_price >= 0 and priced_quantity is not null then list_price end as PricingCurrencyListUnitPrice,
    case when contracted_price >= 0 and priced_quantity is not null then contracted_price end as PricingCurrencyContractedUnitPrice,

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
    currency_of_prices as PricingCurrency,
    case
        when exchange_rate = 1 or effective_cost = 0 then effective_cost
        else coalesce(
            effective_in_pricing_currency,
            cast(printf('%.15g', cast(effective_cost as double) / nullif(cast(exchange_rate as double), 0)) as decimal(38, 18))
        )
    end as PricingCurrencyEffectiveCost,
    actual_cost as BilledCost,
    effective_cost as EffectiveCost,
    contracted_cost as ContractedCost,
    list_cost as ListCost,

    tag_json as Tags,
    case when is_tokens then azure_model(words, coalesce(meter_sub_category, '')) end as x_Model,
    token_kind as x_TokenKind,
    case when token_kind is not null then azure_service_tier(words) end as x_ServiceTier,
    x_source_file as x_SourceFile,
    x_source_row as x_SourceRow,
    if(export = 'actual', 1, 2) as x_SourcePart     -- both exports may name their files part_0_0001.csv
from priced
left join azure_services as by_meter on by_meter.delivered_service = case when meter_sub_category ilike '%openai%' then 'azure openai' else lower(meter_category) end
left join azure_services as by_provider on by_provider.delivered_service = lower(consumed_service)
left join azure_regions on delivered_location = location
