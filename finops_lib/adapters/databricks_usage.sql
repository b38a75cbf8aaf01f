-- Databricks billable usage (system.billing.usage as CSV, Parquet or JSON) with list prices → FOCUS Cost and Usage.
--   One usage record in, one charge out, at the list price in force when the usage began.
--   The price list holds no discount of a contract: until an invoice says otherwise BilledCost is at the effective list
--   price (promotions included), ListCost at the list price before them.
-- dataset: cost_and_usage
-- formats: csv, parquet, json
-- key: record_id
-- account: account_id
-- month: strftime(usage_date, '%Y-%m')
-- billed: exact_product(usage_quantity, (select max(coalesce(pricing ->> '$.effective_list.default', pricing ->> '$.default')::decimal(38, 18)) from databricks_list_prices as price where price.sku_name = raw.sku_name and price.cloud = raw.cloud and price.usage_unit = raw.usage_unit and price_start_time <= usage_start_time and (price_end_time is null or usage_start_time < price_end_time))) in (select max(currency_code) from databricks_list_prices as price where price.sku_name = raw.sku_name and price.cloud = raw.cloud and price.usage_unit = raw.usage_unit and price_start_time <= usage_start_time and (price_end_time is null or usage_start_time < price_end_time))
-- conserves: EffectiveCost, ContractedCost from x_billed
-- waits for: databricks_list_prices
-- origin: BilledCost from sku_name
-- origin: HostProviderName from cloud
-- origin: ChargeCategory from record_type
-- quirk: The table holds no money: each record is priced by SKU, cloud, unit and the interval of the list price.
-- quirk: Prices of one SKU whose intervals overlap are refused, because the charges would add up to more than the usage costs.
-- quirk: A SKU without a price in force is refused by row, never billed 0.
-- quirk: A correction is a RETRACTION of negative quantity and a RESTATEMENT, records of their own: all are summed.
-- quirk: A retraction or restatement that Databricks wrote after the month of the usage is a Correction of that month.
-- quirk: DBU and DSU are virtual currencies: PricingCurrency holds them, and all costs are in the price list's currency.
-- quirk: The month is the month of the usage, so deliver a month again to see what was corrected in it.
-- not covered: Discounts of a contract, commitments and tax, none of which these tables hold.
-- not covered: The user who ran it (identity_metadata) and paths of notebooks, which may hold e-mail addresses.
create table raw (
    record_id varchar not null, account_id varchar not null, workspace_id varchar,
    sku_name varchar not null, cloud varchar not null, record_type varchar,
    usage_start_time timestamptz not null, usage_end_time timestamptz not null, usage_date date not null,
    usage_unit varchar not null, usage_quantity decimal(38, 18) not null,
    usage_type varchar, billing_origin_product varchar, ingestion_date date,
    custom_tags json,
    usage_metadata struct(
        job_id varchar, job_name varchar, warehouse_id varchar, cluster_id varchar, dlt_pipeline_id varchar,
        endpoint_id varchar, endpoint_name varchar, app_id varchar, app_name varchar,
        database_instance_id varchar, instance_pool_id varchar
    )
);
-- The latest price list of the account, empty until one is delivered.
create table databricks_list_prices (
    sku_name varchar, cloud varchar, usage_unit varchar, currency_code varchar,
    price_start_time timestamptz, price_end_time timestamptz, pricing json
);
with clouds(cloud, host) as (values ('AWS', 'AWS'), ('GCP', 'Google Cloud')),
units(usage_unit, unit, is_currency) as (values           -- a unit missing here stays as delivered
    ('DBU', 'DBU', true), ('DSU', 'DSU', true), ('GB', 'GB', false), ('HOUR', 'Hours', false), ('TOKEN', 'Tokens', false),
    ('API_CALL', 'API Calls', false), ('BYTES', 'Bytes', false)
),
priced as (
    select
        raw.*,
        price.price_start_time, price.currency_code,
        cast(pricing ->> '$.default' as decimal(38, 18)) as list_price,
        cast(coalesce(pricing ->> '$.effective_list.default', pricing ->> '$.default') as decimal(38, 18)) as effective_price,
        exact_product(usage_quantity, effective_price) as cost
    from raw
    left join databricks_list_prices as price
        on price.sku_name = raw.sku_name and price.cloud = raw.cloud and price.usage_unit = raw.usage_unit
            and price.price_start_time <= usage_start_time
            and (price.price_end_time is null or usage_start_time < price.price_end_time)
)
select
    cost as BilledCost, cost as EffectiveCost, cost as ContractedCost,
    exact_product(usage_quantity, list_price) as ListCost, currency_code as BillingCurrency,
    account_id as BillingAccountId, 'Account' as BillingAccountType,
    workspace_id as SubAccountId, workspace_id as SubAccountName,
    case when workspace_id is not null then 'Workspace' end as SubAccountType,
    cast(date_trunc('month', usage_date) as timestamptz) as BillingPeriodStart,
    BillingPeriodStart + interval 1 month as BillingPeriodEnd,
    usage_start_time as ChargePeriodStart, usage_end_time as ChargePeriodEnd,
    case when coalesce(record_type, 'ORIGINAL') in ('ORIGINAL', 'RETRACTION', 'RESTATEMENT') then 'Usage' end as ChargeCategory,
    case when record_type <> 'ORIGINAL' and ingestion_date >= BillingPeriodEnd then 'Correction' end as ChargeClass,
    'Usage-Based' as ChargeFrequency, sku_name as ChargeDescription,
    'Databricks' as ServiceProviderName, clouds.host as HostProviderName, 'Databricks' as InvoiceIssuerName,
    coalesce(databricks_products.service, 'Databricks') as ServiceName,
    coalesce(databricks_products.category, 'Analytics') as ServiceCategory,
    coalesce(databricks_products.subcategory, 'Analytics Platforms') as ServiceSubcategory,

    sku_name as SkuId, coalesce(usage_type, sku_name) as SkuMeter,
    case when list_price is not null then concat_ws('/', sku_name, priced.cloud, strftime(price_start_time, '%Y-%m-%dT%H:%M:%SZ')) end
        as SkuPriceId,
    'Standard' as PricingCategory,
    usage_quantity as PricingQuantity, coalesce(units.unit, priced.usage_unit) as PricingUnit,
    usage_quantity as ConsumedQuantity, PricingUnit as ConsumedUnit,
    case when is_exact_product(usage_quantity, list_price) then list_price end as ListUnitPrice,
    case when is_exact_product(usage_quantity, effective_price) then effective_price end as ContractedUnitPrice,
    if(units.is_currency, priced.usage_unit, currency_code) as PricingCurrency,
    if(units.is_currency, usage_quantity, cost) as PricingCurrencyEffectiveCost,
    if(units.is_currency, 1, ListUnitPrice) as PricingCurrencyListUnitPrice,
    if(units.is_currency, 1, ContractedUnitPrice) as PricingCurrencyContractedUnitPrice,

    coalesce(
        usage_metadata.endpoint_id, usage_metadata.dlt_pipeline_id, usage_metadata.warehouse_id, usage_metadata.job_id,
        usage_metadata.app_id, usage_metadata.database_instance_id, usage_metadata.cluster_id, usage_metadata.instance_pool_id
    ) as ResourceId,
    case ResourceId
        when usage_metadata.endpoint_id then usage_metadata.endpoint_name
        when usage_metadata.job_id then usage_metadata.job_name
        when usage_metadata.app_id then usage_metadata.app_name
    end as ResourceName,
    case ResourceId
        when usage_metadata.endpoint_id then 'Serving Endpoint'
        when usage_metadata.dlt_pipeline_id then 'Pipeline'
        when usage_metadata.warehouse_id then 'SQL Warehouse'
        when usage_metadata.job_id then 'Job'
        when usage_metadata.app_id then 'App'
        when usage_metadata.database_instance_id then 'Database Instance'
        when usage_metadata.cluster_id then 'Cluster'
        when usage_metadata.instance_pool_id then 'Instance Pool'
    end as ResourceType,
    nullif(cast(custom_tags as varchar), '{}') as Tags,
    -- Endpoints that Databricks itself serves are called after their model.
    case
        when billing_origin_product = 'MODEL_SERVING' and usage_metadata.endpoint_name like 'databricks-%'
            then canonical_model(substr(usage_metadata.endpoint_name, 12))
    end as x_Model,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from priced
left join clouds on clouds.cloud = priced.cloud
left join units on units.usage_unit = priced.usage_unit
left join databricks_products on product = billing_origin_product
