-- FOCUS Billing Period of any provider, from 1.4.  One period of an invoice issuer in, one row out.
-- dataset: billing_period
-- formats: csv, parquet
-- account: InvoiceIssuerName
-- month: strftime(BillingPeriodStart, '%Y-%m')
-- version: FOCUS 1.4 with BillingPeriodStatus
-- null: NULL, null
-- quirk: The latest delivery of an issuer's month says whether it is closed.
-- not covered: Spellings that FOCUS does not allow are refused, not repaired.
create table raw (
    BillingPeriodCreated timestamptz not null,
    BillingPeriodEnd timestamptz not null,
    BillingPeriodLastUpdated timestamptz not null,
    BillingPeriodStart timestamptz not null,
    BillingPeriodStatus varchar not null,
    InvoiceIssuerName varchar not null
);
select
    BillingPeriodCreated,
    BillingPeriodEnd,
    BillingPeriodLastUpdated,
    BillingPeriodStart,
    BillingPeriodStatus,
    InvoiceIssuerName,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from raw
