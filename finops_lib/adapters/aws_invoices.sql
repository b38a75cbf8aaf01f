-- AWS invoices as `aws invoicing list-invoice-summaries` writes them → FOCUS Invoice Detail.
--   One invoice in, one or two parts out: charges before tax, and the tax.  Together they are its TotalAmount.
--   BilledCost is in the currency of products and services, as charges in cost reports are; payment may be in another.
-- dataset: invoice_detail
-- formats: json
-- records: InvoiceSummaries
-- account: AccountId
-- month: BillingPeriod.Year || '-' || lpad(cast(BillingPeriod.Month as varchar), 2, '0')
-- bucket: InvoiceId
-- billed: BaseCurrencyAmount.TotalAmount in BaseCurrencyAmount.CurrencyCode
-- quirk: Times are ISO texts or Unix seconds, as the command's version writes them.
-- quirk: AWS gives parts no id: InvoiceDetailId is the invoice's with /charges or /tax behind it.
-- quirk: InvoiceIssuerName is AWS for every company of Amazon's, as on the charges of a cost report; the description names the company.
-- quirk: Charges before tax are usage, purchases, credits and fees in one amount, so their ChargeCategory is unknown.
-- not covered: Discounts and fees are part of the charges, not parts of their own, because AWS does not document their signs.
-- not covered: A credit memo's amounts keep the sign they are delivered with.
-- not covered: The amount in the currency of the tax authority is not kept.
create table raw (
    InvoiceId varchar not null, AccountId varchar not null, InvoiceType varchar not null,
    BillingPeriod struct("Month" bigint, "Year" bigint) not null,
    Entity struct(InvoicingEntity varchar) not null,
    BaseCurrencyAmount struct(
        TotalAmount decimal(38, 18), TotalAmountBeforeTax decimal(38, 18), CurrencyCode varchar,
        AmountBreakdown struct(Taxes struct(TotalAmount decimal(38, 18)))
    ) not null,
    PaymentCurrencyAmount struct(
        TotalAmount decimal(38, 18), TotalAmountBeforeTax decimal(38, 18), CurrencyCode varchar,
        AmountBreakdown struct(Taxes struct(TotalAmount decimal(38, 18)))
    ),
    IssuedDate varchar, DueDate varchar, OriginalInvoiceId varchar, PurchaseOrderNumber varchar
);
with invoices as (
    select
        *,
        make_timestamptz(BillingPeriod.Year, BillingPeriod.Month, 1, 0, 0, 0, 'UTC') as period_start,
        coalesce(try_cast(IssuedDate as timestamptz), to_timestamp(try_cast(IssuedDate as double))) as issued,
        coalesce(try_cast(DueDate as timestamptz), to_timestamp(try_cast(DueDate as double))) as due,
        coalesce(
            BaseCurrencyAmount.TotalAmount - BaseCurrencyAmount.TotalAmountBeforeTax,
            BaseCurrencyAmount.AmountBreakdown.Taxes.TotalAmount, 0
        ) as tax,
        coalesce(
            PaymentCurrencyAmount.TotalAmount - PaymentCurrencyAmount.TotalAmountBeforeTax,
            PaymentCurrencyAmount.AmountBreakdown.Taxes.TotalAmount, if(tax = 0, 0, null)
        ) as payment_tax,
        unnest(if(tax = 0, [1], [1, 2])) as part
    from raw
)
select
    InvoiceId,
    InvoiceId || if(part = 1, '/charges', '/tax') as InvoiceDetailId,
    if(part = 1, 'Charges before tax, ', 'Tax, ') || Entity.InvoicingEntity as InvoiceDetailDescription,
    case when part = 2 then 'Tax' end as ChargeCategory,
    if(part = 1, BaseCurrencyAmount.TotalAmount - tax, tax) as BilledCost,
    BaseCurrencyAmount.CurrencyCode as BillingCurrency,
    if(part = 1, PaymentCurrencyAmount.TotalAmount - payment_tax, payment_tax) as PaymentCurrencyBilledCost,
    case when PaymentCurrencyBilledCost is not null then PaymentCurrencyAmount.CurrencyCode end as PaymentCurrency,
    AccountId as BillingAccountId,
    if(regexp_matches(Entity.InvoicingEntity, '^(Amazon|AWS)'), 'AWS', Entity.InvoicingEntity) as InvoiceIssuerName,
    period_start as BillingPeriodStart, period_start + interval 1 month as BillingPeriodEnd,
    if(issued is null, 'Open', 'Issued') as InvoiceIssueStatus, issued as InvoiceIssueDate, due as PaymentDueDate,
    coalesce(OriginalInvoiceId, InvoiceId) as ReferenceInvoiceId, PurchaseOrderNumber,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow, part as x_SourcePart
from invoices
