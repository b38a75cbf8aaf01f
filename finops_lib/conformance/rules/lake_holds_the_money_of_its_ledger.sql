-- Every month holds the BilledCost that the ledger says was published, to the last digit.
-- focus: BilledCost
-- since: 1.0
-- severity: error
-- official validator: misses it
select x_SourceFile, x_SourceRow
from (
    select source, BillingAccountId, billing_month, BillingCurrency, sum(BilledCost) as billed,
        min(x_SourceFile) as x_SourceFile, min(x_SourceRow) as x_SourceRow
    from cost_and_usage
    group by source, BillingAccountId, billing_month, BillingCurrency
) as held
full join (
    select source, billing_account, month, currency, sum(billed) as billed
    from ledger
    group by source, billing_account, month, currency
) as ledger on ledger.source = held.source and ledger.billing_account = held.BillingAccountId
    and ledger.month = held.billing_month and ledger.currency = held.BillingCurrency
where held.billed is distinct from ledger.billed
