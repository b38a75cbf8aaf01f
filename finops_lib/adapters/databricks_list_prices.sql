-- Databricks list prices (system.billing.list_prices as CSV, Parquet or JSON) → kept for databricks_usage, which they price.
--   The table is the whole history of prices of an account's cloud: a new delivery replaces it, and every month of usage
--   in the lake is priced anew.
-- dataset: cost_and_usage
-- formats: csv, parquet, json
-- account: account_id
-- month: 'all'
-- quirk: A price holds from its start up to, not including, its end; the one in force has no end.
-- quirk: pricing.effective_list is the price after promotions, pricing.default the one before.
-- not covered: Discounts of a contract, which the table does not hold.
create table raw (
    account_id varchar not null, sku_name varchar not null, cloud varchar not null, currency_code varchar not null,
    usage_unit varchar not null, price_start_time timestamptz not null, price_end_time timestamptz, pricing json not null
);
