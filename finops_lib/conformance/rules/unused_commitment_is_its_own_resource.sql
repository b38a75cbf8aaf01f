-- What is left unused of a commitment has the commitment as its resource.
-- focus: ResourceId, CommitmentDiscountStatus
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where CommitmentDiscountStatus = 'Unused' and ResourceId is distinct from CommitmentDiscountId
