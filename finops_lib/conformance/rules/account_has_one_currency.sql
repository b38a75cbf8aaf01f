-- A billing account is billed in one currency within a billing period.
-- focus: BillingCurrency
-- since: 1.0
-- severity: warning
-- official validator: misses it
select charge.x_SourceFile, charge.x_SourceRow
from cost_and_usage as charge
join (
    select BillingAccountId, BillingPeriodStart
    from cost_and_usage
    group by BillingAccountId, BillingPeriodStart
    having min(BillingCurrency) <> max(BillingCurrency)
) as offending using (BillingAccountId, BillingPeriodStart)
