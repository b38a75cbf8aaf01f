-- FOCUS Invoice Detail of any provider, from 1.4.  One part of an invoice in, one row out.
-- dataset: invoice_detail
-- formats: csv, parquet
-- account: BillingAccountId
-- month: strftime(BillingPeriodStart, '%Y-%m')
-- bucket: InvoiceId
-- billed: BilledCost in BillingCurrency
-- version: FOCUS 1.4 with InvoiceDetailId
-- null: NULL, null
-- quirk: A delivery replaces the invoices it holds; the other invoices of the account and month stay.
-- not covered: Spellings that FOCUS does not allow are refused, not repaired.
create table raw (
    BilledCost decimal(38, 18) not null,
    BillingAccountId varchar not null,
    BillingCurrency varchar not null,
    BillingPeriodEnd timestamptz not null,
    BillingPeriodStart timestamptz not null,
    ChargeCategory varchar not null,
    InvoiceDetailCreated timestamptz not null,
    InvoiceDetailDescription varchar,
    InvoiceDetailGrain json,
    InvoiceDetailId varchar not null,
    InvoiceDetailLastUpdated timestamptz not null,
    InvoiceId varchar not null,
    InvoiceIssueDate timestamptz,
    InvoiceIssuerName varchar not null,
    InvoiceIssueStatus varchar not null,
    PaymentCurrency varchar,
    PaymentCurrencyBilledCost decimal(38, 18),
    PaymentCurrencyInvoiceDetailId varchar,
    PaymentDueDate timestamptz,
    PaymentTerms varchar not null,
    PurchaseOrderNumber varchar,
    ReferenceInvoiceId varchar not null
);
select
    BilledCost,
    BillingAccountId,
    BillingCurrency,
    BillingPeriodEnd,
    BillingPeriodStart,
    ChargeCategory,
    InvoiceDetailCreated,
    InvoiceDetailDescription,
    cast(InvoiceDetailGrain as varchar) as InvoiceDetailGrain,
    InvoiceDetailId,
    InvoiceDetailLastUpdated,
    InvoiceId,
    InvoiceIssueDate,
    InvoiceIssuerName,
    InvoiceIssueStatus,
    PaymentCurrency,
    PaymentCurrencyBilledCost,
    PaymentCurrencyInvoiceDetailId,
    PaymentDueDate,
    PaymentTerms,
    PurchaseOrderNumber,
    ReferenceInvoiceId,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from raw
