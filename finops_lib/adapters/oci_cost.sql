-- Oracle Cloud (OCI) cost report, reports/cost-csv → FOCUS Cost and Usage.  One line in, one charge out.
-- A report holds some hours of a tenancy, and now and then older ones that arrived late, so a month is made of many files:
--   a file replaces the charges whose reference it repeats and leaves all others.
-- BilledCost is the cost of the line with what of it is overage: for a prepaid subscription that is what it draws down.
-- quirk: Any line may carry a back reference; only one whose isCorrection is true corrects another, whose reference is kept in x_CorrectedReference.
-- quirk: A correction adds to the month of the hour that it corrects, because a line names no billing period.
-- quirk: Quantity, price and cost contain the overage; the part beyond the prepaid credits is kept in x_OverageCost.
-- quirk: Each tag is a column of its own, tags/namespace.key, whatever stands in its name.
-- quirk: Times may lack their seconds (2026-09-13T10:00Z), and amounts be written as 4.81298076439E-7.
-- not covered: Usage reports (reports/usage-csv) name no cost; Oracle's FOCUS reports are read as focus.
-- not covered: List prices, what a subscription prepaid, and the model behind Generative AI that is priced per transaction.
-- formats: csv, parquet
-- key: line_item_reference_no
-- bucket: x_ChargeReference
-- account: coalesce(cost_subscription_id, line_item_tenant_id)
-- month: strftime(line_item_interval_usage_start, '%Y-%m')
-- null: NULL, null
-- billed: cost_my_cost in cost_currency_code
-- conserves: EffectiveCost, ContractedCost, ListCost from x_billed
-- conserves: x_OverageCost from coalesce(cost_my_cost_overage, 0)
create table raw (
    line_item_reference_no varchar not null,
    line_item_tenant_id varchar not null,
    line_item_interval_usage_start timestamptz not null,
    line_item_interval_usage_end timestamptz not null,
    line_item_is_correction boolean,
    line_item_backreference_no varchar,

    product_service varchar not null,
    product_compartment_id varchar,
    product_compartment_name varchar,
    product_region varchar,
    product_availability_domain varchar,
    product_resource_id varchar,
    product_description varchar,

    usage_billed_quantity decimal(38, 18),
    cost_subscription_id varchar,
    cost_product_sku varchar,
    cost_unit_price decimal(38, 18),
    cost_my_cost decimal(38, 18) not null,
    cost_my_cost_overage decimal(38, 18),
    cost_currency_code varchar not null,
    cost_billing_unit_readable varchar,
    cost_sku_unit_description varchar,
    tags json
);

with lines as (
    select
        *,
        if(usage_billed_quantity is null, null, coalesce(cost_sku_unit_description, cost_billing_unit_readable)) as delivered_unit,
        -- 'OCI Generative AI - xAI - Grok 4 - Cached Input Tokens' → grok 4, cached input
        regexp_extract(
            lower(product_description), 'generative ai - (?:(?:xai|openai|google|meta|cohere)[ –-]+)?(.*?)[ –-]+(cached input|input|output) tokens?', ['model', 'kind']
        ) as tokens,
        -- 9 decimals each keep price × quantity exact; only an exact product is a unit price, because FOCUS wants it to be the cost.
        try_cast(cost_unit_price as decimal(19, 9)) as price,
        try_cast(usage_billed_quantity as decimal(19, 9)) as quantity
    from raw
)
select
    coalesce(cost_subscription_id, line_item_tenant_id) as BillingAccountId,
    if(cost_subscription_id is null, 'Tenancy', 'Subscription') as BillingAccountType,
    product_compartment_id as SubAccountId,
    case when product_compartment_id is not null then product_compartment_name end as SubAccountName,
    case when product_compartment_id is not null then 'Compartment' end as SubAccountType,
    'Oracle' as ServiceProviderName,
    'Oracle' as HostProviderName,
    'Oracle' as InvoiceIssuerName,

    date_trunc('month', line_item_interval_usage_start) as BillingPeriodStart,
    date_trunc('month', line_item_interval_usage_start) + interval 1 month as BillingPeriodEnd,
    line_item_interval_usage_start as ChargePeriodStart,
    line_item_interval_usage_end as ChargePeriodEnd,

    'Usage' as ChargeCategory,
    case when line_item_is_correction then 'Correction' end as ChargeClass,
    'Usage-Based' as ChargeFrequency,
    product_description as ChargeDescription,

    coalesce(service_name, product_service) as ServiceName,
    coalesce(service_category, 'Other') as ServiceCategory,
    coalesce(service_subcategory, 'Other (Other)') as ServiceSubcategory,
    product_region as RegionId,
    case when product_region is not null then coalesce(region_name, product_region) end as RegionName,
    product_availability_domain as AvailabilityZone,
    product_resource_id as ResourceId,
    nullif(regexp_extract(product_resource_id, '^ocid[0-9]+\.([a-z0-9-]+)\.', 1), '') as ResourceType,

    cost_product_sku as SkuId,
    cost_product_sku as SkuPriceId,         -- Oracle numbers no prices
    case when cost_product_sku is not null then product_description end as SkuMeter,
    case when cost_product_sku is not null then 'Standard' end as PricingCategory,
    usage_billed_quantity as PricingQuantity,
    coalesce(pricing_unit, lines.delivered_unit) as PricingUnit,
    usage_billed_quantity * cast(coalesce(block, '1') as decimal(9, 0)) as ConsumedQuantity,
    coalesce(consumed_unit, lines.delivered_unit) as ConsumedUnit,
    case when price = cost_unit_price and quantity = usage_billed_quantity and price * quantity = cost_my_cost and price >= 0 then price end as ContractedUnitPrice,

    cost_currency_code as BillingCurrency,
    cost_currency_code as PricingCurrency,
    case when cost_unit_price >= 0 and usage_billed_quantity is not null then cost_unit_price end as PricingCurrencyContractedUnitPrice,
    cost_my_cost as PricingCurrencyEffectiveCost,
    cost_my_cost as BilledCost,
    cost_my_cost as EffectiveCost,
    cost_my_cost as ContractedCost,
    cost_my_cost as ListCost,
    cost_my_cost_overage as x_OverageCost,

    cast(tags as varchar) as Tags,
    case when tokens.kind <> '' then canonical_model(replace(tokens.model, ' ', '-')) end as x_Model,
    case tokens.kind when 'cached input' then 'cache_read' when 'input' then 'input_uncached' when 'output' then 'output' end as x_TokenKind,
    case when tokens.kind <> '' then 'standard' end as x_ServiceTier,
    line_item_reference_no as x_ChargeReference,
    case when line_item_is_correction then line_item_backreference_no end as x_CorrectedReference,
    x_source_file as x_SourceFile,
    x_source_row as x_SourceRow
from lines
left join oci_services on delivered_service = regexp_replace(lower(product_service), '[^a-z0-9]', '', 'g')
left join oci_regions on region_id = product_region
left join oci_units on oci_units.delivered_unit = lower(lines.delivered_unit)
