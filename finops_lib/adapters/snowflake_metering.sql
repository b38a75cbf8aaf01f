-- Snowflake daily metering (ORGANIZATION_USAGE.METERING_DAILY_HISTORY as CSV, Parquet or JSON) with the rate sheet
--   → FOCUS Cost and Usage.  One line of a day in, one charge out: credits billed at the rate of that day.
--   Usage in currency bills these same credits and says which balance paid for them: deliver that where you can.
-- dataset: cost_and_usage
-- formats: csv, parquet, json
-- key: usage_date, organization_name, account_locator, service_type
-- account: organization_name
-- month: strftime(usage_date, '%Y-%m')
-- billed: exact_product(credits_billed, (select max(effective_rate) from snowflake_rate_sheet as rate where rate.date = usage_date and rate.account_locator = raw.account_locator and lower(rate.service_type) = lower(raw.service_type) and lower(rate.rating_type) = 'compute' and coalesce(lower(rate.billing_type), 'consumption') = 'consumption' and not coalesce(rate.is_adjustment, false) and rate.usage_type not ilike 'overage%')) in (select max(upper(currency)) from snowflake_rate_sheet as rate where rate.date = usage_date and rate.account_locator = raw.account_locator and lower(rate.service_type) = lower(raw.service_type) and lower(rate.rating_type) = 'compute' and coalesce(lower(rate.billing_type), 'consumption') = 'consumption' and not coalesce(rate.is_adjustment, false) and rate.usage_type not ilike 'overage%')
-- conserves: EffectiveCost, ContractedCost, ListCost from x_billed
-- waits for: snowflake_rate_sheet
-- same money as: snowflake_usage
-- origin: BilledCost from service_type
-- quirk: Credits are no money: they wait for the rate sheet of their month, and a line without a rate is refused, never billed 0.
-- quirk: What is billed is the credits after the daily rebate for cloud services, CREDITS_BILLED.
-- quirk: A day, account and service with two rates is refused, because nobody can tell which credits cost which.
-- quirk: A month of usage in currency takes its place, and is never joined by it.
-- not covered: The balance that paid (capacity, free usage, overage), storage and transfer, which metering does not hold.
-- not covered: Hourly metering (METERING_HISTORY), which lacks the rebate; ACCOUNT_USAGE's view, which names no organization.
create table raw (
    organization_name varchar not null, account_name varchar, account_locator varchar not null, region varchar,
    usage_date date not null, service_type varchar not null, credits_billed decimal(38, 18) not null
);
-- The latest rate sheet of the organization and month, empty until one is delivered.
create table snowflake_rate_sheet (
    "date" date, contract_number varchar, account_locator varchar, service_level varchar, usage_type varchar, currency varchar,
    effective_rate decimal(38, 18), service_type varchar, rating_type varchar, billing_type varchar, is_adjustment boolean
);
with rates as (
    select * from snowflake_rate_sheet
    where lower(rating_type) = 'compute' and coalesce(lower(billing_type), 'consumption') = 'consumption'
        and not coalesce(is_adjustment, false) and usage_type not ilike 'overage%'
),
priced as (
    select raw.*, rates.* exclude (account_locator, service_type), exact_product(credits_billed, effective_rate) as cost
    from raw
    left join rates
        on rates.date = usage_date and rates.account_locator = raw.account_locator
            and lower(rates.service_type) = lower(raw.service_type)
)
select
    cost as BilledCost, cost as EffectiveCost, cost as ContractedCost, cost as ListCost,
    upper(currency) as BillingCurrency,
    organization_name as BillingAccountId, organization_name as BillingAccountName, 'Organization' as BillingAccountType,
    account_locator as SubAccountId, coalesce(account_name, account_locator) as SubAccountName, 'Account' as SubAccountType,
    cast(date_trunc('month', usage_date) as timestamptz) as BillingPeriodStart,
    BillingPeriodStart + interval 1 month as BillingPeriodEnd,
    cast(usage_date as timestamptz) as ChargePeriodStart, ChargePeriodStart + interval 1 day as ChargePeriodEnd,
    'Usage' as ChargeCategory, 'Usage-Based' as ChargeFrequency, service_type as ChargeDescription,
    'Snowflake' as ServiceProviderName,
    case regexp_extract(lower(region), '(aws|azure|gcp)') when 'aws' then 'AWS' when 'azure' then 'Microsoft' when 'gcp' then 'Google Cloud' else 'Snowflake' end
        as HostProviderName,
    'Snowflake' as InvoiceIssuerName,
    coalesce(snowflake_services.service, 'Snowflake') as ServiceName,
    coalesce(snowflake_services.category, 'Databases') as ServiceCategory,
    coalesce(snowflake_services.subcategory, 'Data Warehouses') as ServiceSubcategory,
    region as RegionId, region as RegionName,
    service_type as SkuId, service_type as SkuMeter,
    concat_ws('/', contract_number, service_type, usage_type, region, service_level) as SkuPriceId,
    'Standard' as PricingCategory,
    credits_billed as PricingQuantity, 'Credits' as PricingUnit, credits_billed as ConsumedQuantity, 'Credits' as ConsumedUnit,
    case when is_exact_product(credits_billed, effective_rate) then effective_rate end as ContractedUnitPrice,
    ContractedUnitPrice as ListUnitPrice,
    'Credits' as PricingCurrency, credits_billed as PricingCurrencyEffectiveCost,
    1 as PricingCurrencyContractedUnitPrice, 1 as PricingCurrencyListUnitPrice,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from priced
left join snowflake_services on delivered_service = lower(replace(service_type, ' ', '_'))
