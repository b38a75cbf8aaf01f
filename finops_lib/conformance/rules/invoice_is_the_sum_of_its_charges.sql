-- The BilledCost of an invoice's charges adds up to what its parts in InvoiceDetail say is payable.
-- focus: InvoiceId, InvoiceDetail
-- since: 1.4
-- severity: warning
-- official validator: misses it
select charged.x_SourceFile, charged.x_SourceRow
from (
    select InvoiceIssuerName, InvoiceId, BillingCurrency, sum(BilledCost) as billed,
        min(x_SourceFile) as x_SourceFile, min(x_SourceRow) as x_SourceRow
    from cost_and_usage
    where InvoiceId is not null
    group by InvoiceIssuerName, InvoiceId, BillingCurrency
) as charged
join (
    select InvoiceIssuerName, InvoiceId, BillingCurrency, sum(BilledCost) as billed
    from invoice_detail
    group by InvoiceIssuerName, InvoiceId, BillingCurrency
) as payable using (InvoiceIssuerName, InvoiceId, BillingCurrency)
where charged.billed <> payable.billed
