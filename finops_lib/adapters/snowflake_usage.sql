-- Snowflake usage in currency (ORGANIZATION_USAGE.USAGE_IN_CURRENCY_DAILY as CSV, Parquet or JSON) → FOCUS Cost and Usage.
--   One line of a day in, one charge out.  Where the money comes from decides what is billed:
--   overage is invoiced, so BilledCost is the amount; capacity and rollover were paid in advance, so BilledCost is 0 and
--   EffectiveCost draws the prepayment down; free usage and rebates cost nothing, and ContractedCost says what they would.
--   So BilledCost adds up to what Snowflake will invoice for usage, ContractedCost to the whole usage statement.
-- dataset: cost_and_usage
-- formats: csv, parquet, json
-- needs: balance_source, rating_type
-- account: organization_name
-- month: strftime(usage_date, '%Y-%m')
-- billed: case lower(balance_source) when 'overage' then usage_in_currency else 0 end in upper(currency)
-- conserves: EffectiveCost from if(lower(balance_source) in ('free usage', 'rebate'), 0, usage_in_currency)
-- conserves: ContractedCost, ListCost from usage_in_currency
-- origin: BilledCost from balance_source
-- origin: ChargeCategory from billing_type
-- quirk: The usage of a prepaid capacity is not billed again: its BilledCost is 0 and its EffectiveCost what it used up.
-- quirk: An unknown balance source or billing type is refused by row.
-- quirk: Credits are a virtual currency: PricingCurrency holds them for compute, the costs are in the contract's currency.
-- quirk: Adjustments (IS_ADJUSTMENT) are Adjustment charges; Snowflake restates days until the month is closed.
-- quirk: A day holds equal lines of several balance sources, so no line is ever taken for a repetition.
-- quirk: Amounts are rounded to cents by Snowflake, so no unit price is given unless it is exact.
-- not covered: The purchase of capacity, which this view does not hold.
create table raw (
    organization_name varchar not null, contract_number varchar,
    account_name varchar, account_locator varchar, region varchar, service_level varchar,
    usage_date date not null, usage_type varchar not null,
    "usage" decimal(38, 18), currency varchar not null, usage_in_currency decimal(38, 18) not null,
    balance_source varchar, billing_type varchar, rating_type varchar, service_type varchar, is_adjustment boolean
);
with balances(balance, billed, effective) as (values            -- a source missing here is refused
    ('overage', 1, 1), ('capacity', 0, 1), ('rollover', 0, 1), ('free usage', 0, 0), ('rebate', 0, 0)
),
kinds(kind, category, frequency) as (values                     -- a type missing here is refused
    ('consumption', 'Usage', 'Usage-Based'), ('rebate', 'Usage', 'Usage-Based'),
    ('priority support', 'Purchase', 'Recurring'), ('vps_deployment_fee', 'Purchase', 'Recurring'),
    ('support_credit', 'Credit', 'One-Time')
),
units(rating, unit) as (values ('compute', 'Credits'), ('storage', 'TB-Months'), ('data transfer', 'TB')),
lines as (
    select
        *,
        usage_in_currency * billed as billed_cost,
        usage_in_currency * effective as effective_cost,
        -- What gives prepaid money back is no credit on an invoice, which would be billed as much as it is worth.
        case
            when is_adjustment or category = 'Credit' and billed = 0 then 'Adjustment'
            else category
        end as charge_category,
        charge_category = 'Usage' and "usage" is not null and unit is not null as has_quantity,
        -- The rate of whole lines: what times the quantity is the amount to the last digit.
        case
            when has_quantity and "usage" <> 0
                then cast(round(cast(usage_in_currency as double) / cast("usage" as double), 6) as decimal(18, 6))
        end as rate
    from raw
    left join balances on balance = lower(balance_source)
    left join kinds on kind = lower(coalesce(billing_type, 'consumption'))
    left join units on rating = lower(replace(rating_type, '_', ' '))
)
select
    cast(billed_cost as decimal(38, 18)) as BilledCost, cast(effective_cost as decimal(38, 18)) as EffectiveCost,
    if(charge_category = 'Credit', BilledCost, usage_in_currency) as ContractedCost, ContractedCost as ListCost,
    upper(currency) as BillingCurrency,
    organization_name as BillingAccountId, organization_name as BillingAccountName, 'Organization' as BillingAccountType,
    coalesce(account_locator, account_name) as SubAccountId, case when SubAccountId is not null then coalesce(account_name, account_locator) end as SubAccountName,
    case when SubAccountId is not null then 'Account' end as SubAccountType,
    cast(date_trunc('month', usage_date) as timestamptz) as BillingPeriodStart,
    BillingPeriodStart + interval 1 month as BillingPeriodEnd,
    cast(usage_date as timestamptz) as ChargePeriodStart, ChargePeriodStart + interval 1 day as ChargePeriodEnd,
    charge_category as ChargeCategory,
    if(charge_category = 'Adjustment', 'One-Time', frequency) as ChargeFrequency,
    usage_type as ChargeDescription,
    'Snowflake' as ServiceProviderName,
    case regexp_extract(lower(region), '(aws|azure|gcp)') when 'aws' then 'AWS' when 'azure' then 'Microsoft' when 'gcp' then 'Google Cloud' else 'Snowflake' end
        as HostProviderName,
    'Snowflake' as InvoiceIssuerName,
    coalesce(snowflake_services.service, 'Snowflake') as ServiceName,
    coalesce(snowflake_services.category, 'Databases') as ServiceCategory,
    coalesce(snowflake_services.subcategory, 'Data Warehouses') as ServiceSubcategory,
    region as RegionId, region as RegionName,

    case when charge_category in ('Usage', 'Purchase') then coalesce(service_type, usage_type) end as SkuId,
    case when SkuId is not null then usage_type end as SkuMeter,
    case when SkuId is not null then concat_ws('/', contract_number, coalesce(service_type, usage_type), usage_type, region, service_level) end as SkuPriceId,
    case when SkuId is not null then 'Standard' end as PricingCategory,
    case when has_quantity then "usage" end as PricingQuantity, case when has_quantity then unit end as PricingUnit,
    case when has_quantity then "usage" end as ConsumedQuantity, case when has_quantity then unit end as ConsumedUnit,
    case when is_exact_product("usage", rate) and exact_product("usage", rate) = usage_in_currency and rate >= 0 then rate end
        as ContractedUnitPrice,
    ContractedUnitPrice as ListUnitPrice,
    if(has_quantity and unit = 'Credits', 'Credits', upper(currency)) as PricingCurrency,
    if(has_quantity and unit = 'Credits', cast("usage" * effective as decimal(38, 18)), EffectiveCost) as PricingCurrencyEffectiveCost,
    if(has_quantity and unit = 'Credits', 1, ContractedUnitPrice) as PricingCurrencyContractedUnitPrice,
    if(has_quantity and unit = 'Credits', 1, ListUnitPrice) as PricingCurrencyListUnitPrice,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from lines
left join snowflake_services on delivered_service = lower(replace(coalesce(service_type, usage_type), ' ', '_'))
