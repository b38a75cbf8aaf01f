-- A charge names a commitment with its category and type, or none of the three.
-- focus: CommitmentDiscountId, CommitmentDiscountCategory, CommitmentDiscountType
-- since: 1.0
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where (CommitmentDiscountId is null) <> (CommitmentDiscountCategory is null)
    or (CommitmentDiscountId is null) <> (CommitmentDiscountType is null)
    or (CommitmentDiscountId is null and CommitmentDiscountName is not null)
