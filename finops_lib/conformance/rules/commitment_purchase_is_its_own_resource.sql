-- The purchase of a commitment has the commitment as its resource.
-- focus: ResourceId, CommitmentDiscountId
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory = 'Purchase' and ResourceId is distinct from CommitmentDiscountId and CommitmentDiscountId is not null
