-- What is left unused of a commitment has no consumed quantity.
-- focus: ConsumedQuantity, CommitmentDiscountStatus
-- since: 1.1
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where CommitmentDiscountStatus = 'Unused' and (ConsumedQuantity is not null or ConsumedUnit is not null)
