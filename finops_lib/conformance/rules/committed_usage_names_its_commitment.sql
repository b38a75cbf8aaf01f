-- Committed is usage under a commitment that the charge names.
-- focus: PricingCategory, CommitmentDiscountId
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where PricingCategory = 'Committed' and (CommitmentDiscountId is null or ChargeCategory <> 'Usage')
