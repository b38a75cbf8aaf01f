-- The BilledCost of the charges that name a part of an invoice adds up to that part's.
-- focus: InvoiceDetailId, InvoiceDetail
-- since: 1.4
-- severity: error
-- official validator: misses it
select charged.x_SourceFile, charged.x_SourceRow
from (
    select InvoiceIssuerName, InvoiceDetailId, sum(BilledCost) as billed,
        min(x_SourceFile) as x_SourceFile, min(x_SourceRow) as x_SourceRow
    from cost_and_usage
    where InvoiceDetailId is not null
    group by InvoiceIssuerName, InvoiceDetailId
) as charged
join (
    select InvoiceIssuerName, InvoiceDetailId, sum(BilledCost) as billed
    from invoice_detail
    group by InvoiceIssuerName, InvoiceDetailId
) as payable using (InvoiceIssuerName, InvoiceDetailId)
where charged.billed <> payable.billed
