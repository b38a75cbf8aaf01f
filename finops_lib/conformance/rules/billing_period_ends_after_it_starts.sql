-- A billing period ends after it starts.
-- focus: BillingPeriodStart, BillingPeriodEnd
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where BillingPeriodStart >= BillingPeriodEnd
