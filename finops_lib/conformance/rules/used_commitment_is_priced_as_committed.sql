-- Usage that used a commitment is priced as Committed.
-- focus: PricingCategory, CommitmentDiscountStatus
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where CommitmentDiscountStatus = 'Used' and PricingCategory <> 'Committed'
