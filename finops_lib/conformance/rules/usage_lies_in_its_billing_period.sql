-- Usage lies in the billing period that it is billed in, corrections apart.
-- focus: ChargePeriodStart, BillingPeriodStart
-- since: 1.0
-- severity: warning
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory = 'Usage' and ChargeClass is null
    and (ChargePeriodStart < BillingPeriodStart or ChargePeriodEnd > BillingPeriodEnd)
