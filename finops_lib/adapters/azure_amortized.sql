-- Azure cost details, amortized → kept for azure_actual, which takes EffectiveCost from it. The two exports tell the same
--   money twice, so this one alone makes no charge.
-- What tells it from the actual export are commitments spread over days: unused ones, and usage they cover at a cost.
--   A month without any is the same money in both exports and is read as the actual one.
-- dataset: cost_and_usage
-- formats: csv, parquet
-- account: coalesce(billing_account_id, subscription_id)
-- month: case when billing_period_start_date is null then strftime(try_strptime(regexp_extract(date, '^[^ T]+'), ['%Y-%m-%d', '%m/%d/%y', '%m/%d/%Y']), '%Y-%m') when day(try_strptime(regexp_extract(billing_period_start_date, '^[^ T]+'), ['%Y-%m-%d', '%m/%d/%y', '%m/%d/%Y'])) = 1 then strftime(try_strptime(regexp_extract(billing_period_start_date, '^[^ T]+'), ['%Y-%m-%d', '%m/%d/%y', '%m/%d/%Y']), '%Y-%m') end
-- named: amortized
-- holds: charge_type ilike 'Unused%' or (charge_type ilike 'Usage' and pricing_model in ('Reservation', 'SavingsPlan') and cost <> 0)
create table raw (
    billing_account_id varchar,
    billing_account_name varchar,
    billing_period_start_date varchar,
    invoice_id varchar,
    subscription_id varchar,
    subscription_name varchar,

    date varchar not null,
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
