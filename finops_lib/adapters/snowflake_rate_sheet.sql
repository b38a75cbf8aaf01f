-- Snowflake rate sheet (ORGANIZATION_USAGE.RATE_SHEET_DAILY as CSV, Parquet or JSON) → kept for snowflake_metering, which
--   it prices.  Usage in currency needs no rates.
-- dataset: cost_and_usage
-- formats: csv, parquet, json
-- account: organization_name
-- month: strftime("date", '%Y-%m')
-- quirk: Only compute rates of consumption price metering; rates of overage, adjustments, storage and support do not.
create table raw (
    "date" date not null, organization_name varchar not null, contract_number varchar,
    account_locator varchar not null, service_level varchar, usage_type varchar not null, currency varchar not null,
    effective_rate decimal(38, 18) not null, service_type varchar not null, rating_type varchar not null,
    billing_type varchar, is_adjustment boolean
);
