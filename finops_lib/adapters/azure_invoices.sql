-- Azure invoices as the billing API and `az billing invoice list` write them → FOCUS Invoice Detail.
--   One invoice in; out come its charges, tax, prepayment and free credit as far as Microsoft states them, and the rest.
--   Together they are its totalAmount, or its billedAmount where that is all there is (Enterprise, pay-as-you-go).
-- dataset: invoice_detail
-- formats: json
-- records: value
-- holds: coalesce(properties.invoiceDate, invoiceDate) is not null and id ilike '%providers/Microsoft.Billing/%invoices/%'
-- account: coalesce(nullif(regexp_extract(id, '(?i)/billingAccounts/([^/]+)/', 1), ''), nullif(regexp_extract(id, '(?i)subscriptions/([^/]+)/', 1), ''))
-- month: strftime(coalesce(properties.invoicePeriodStartDate, invoicePeriodStartDate), '%Y-%m')
-- bucket: InvoiceId
-- billed: coalesce(properties.totalAmount.value, totalAmount.value, properties.billedAmount.value, billedAmount.value) in coalesce(properties.billedAmount.currency, billedAmount.currency)
-- quirk: The API nests an invoice's properties, older command lines do not: both are read.
-- quirk: The last day of the invoice period is part of it; FOCUS wants the instant after it.
-- quirk: Azure gives parts no id: InvoiceDetailId is the invoice's name with the part's behind it.
-- quirk: What the stated parts leave of the total is a part of its own, so that nothing is lost and the gap is seen.
-- quirk: Charges are usage, purchases and refunds in one amount, so their ChargeCategory is unknown.
-- not covered: amountDue is what is unpaid at the moment of the call, so it is not kept; nor are payments.
-- not covered: A credit note's amounts keep the sign they are delivered with.
create table raw (
    id varchar not null, name varchar not null, type varchar not null,
    properties struct(
        invoiceDate timestamptz, dueDate timestamptz, invoicePeriodStartDate timestamptz, invoicePeriodEndDate timestamptz,
        status varchar, documentType varchar, invoiceType varchar, purchaseOrderNumber varchar, creditForDocumentId varchar,
        billedAmount struct("value" decimal(38, 18), currency varchar), subTotal struct("value" decimal(38, 18)),
        taxAmount struct("value" decimal(38, 18)), totalAmount struct("value" decimal(38, 18)),
        azurePrepaymentApplied struct("value" decimal(38, 18)), freeAzureCreditApplied struct("value" decimal(38, 18))
    ),
    invoiceDate timestamptz, dueDate timestamptz, invoicePeriodStartDate timestamptz, invoicePeriodEndDate timestamptz,
    status varchar, documentType varchar, invoiceType varchar, purchaseOrderNumber varchar, creditForDocumentId varchar,
    billedAmount struct("value" decimal(38, 18), currency varchar), subTotal struct("value" decimal(38, 18)),
    taxAmount struct("value" decimal(38, 18)), totalAmount struct("value" decimal(38, 18)),
    azurePrepaymentApplied struct("value" decimal(38, 18)), freeAzureCreditApplied struct("value" decimal(38, 18))
);
with invoices as (
    select
        *,
        coalesce(nullif(regexp_extract(id, '(?i)/billingAccounts/([^/]+)/', 1), ''),
            nullif(regexp_extract(id, '(?i)subscriptions/([^/]+)/', 1), '')) as account,
        date_trunc('day', coalesce(properties.invoicePeriodStartDate, invoicePeriodStartDate)) as period_start,
        date_trunc('day', coalesce(properties.invoicePeriodEndDate, invoicePeriodEndDate)) as last_day,
        coalesce(properties.billedAmount.value, billedAmount.value) as billed,
        coalesce(properties.totalAmount.value, totalAmount.value) as total,
        coalesce(properties.subTotal.value, subTotal.value, billed) as charges,
        coalesce(properties.taxAmount.value, taxAmount.value, 0) as tax,
        coalesce(properties.azurePrepaymentApplied.value, azurePrepaymentApplied.value, 0) as prepaid,
        coalesce(properties.freeAzureCreditApplied.value, freeAzureCreditApplied.value, 0) as credited
    from raw
),
parts as (
    select
        *,
        unnest(case
            when total is null
                then [{'part': 1, 'suffix': 'charges', 'category': null::varchar, 'said': 'Charges', 'amount': billed}]
            else [
                {'part': 1, 'suffix': 'charges', 'category': null, 'said': 'Charges', 'amount': charges},
                {'part': 2, 'suffix': 'tax', 'category': 'Tax', 'said': 'Tax', 'amount': tax},
                {'part': 3, 'suffix': 'prepayment', 'category': 'Credit', 'said': 'Azure prepayment', 'amount': -prepaid},
                {'part': 4, 'suffix': 'credit', 'category': 'Credit', 'said': 'Free Azure credit', 'amount': -credited},
                {'part': 5, 'suffix': 'rest', 'category': null, 'said': 'Not broken down',
                    'amount': total - charges - tax + prepaid + credited}
            ]
        end) as p
    from invoices
)
select
    name as InvoiceId, name || '/' || p.suffix as InvoiceDetailId, p.said as InvoiceDetailDescription,
    p.category as ChargeCategory, p.amount as BilledCost,
    coalesce(properties.billedAmount.currency, billedAmount.currency) as BillingCurrency,
    account as BillingAccountId, 'Microsoft' as InvoiceIssuerName,
    period_start as BillingPeriodStart,
    -- an end on the 1st is the instant after the month already
    if(extract(day from last_day) = 1 and last_day > period_start, last_day, last_day + interval 1 day) as BillingPeriodEnd,
    if(coalesce(properties.status, status) = 'Void', 'Voided', 'Issued') as InvoiceIssueStatus,
    coalesce(properties.invoiceDate, invoiceDate) as InvoiceIssueDate,
    coalesce(properties.dueDate, dueDate) as PaymentDueDate,
    coalesce(properties.purchaseOrderNumber, purchaseOrderNumber) as PurchaseOrderNumber,
    coalesce(regexp_extract(coalesce(properties.creditForDocumentId, creditForDocumentId), '[^/]+$'), name) as ReferenceInvoiceId,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow, p.part as x_SourcePart
from parts
where p.part = 1 or p.amount <> 0
