-- CommitmentDiscountQuantity and CommitmentDiscountUnit are both there or both null.
-- focus: CommitmentDiscountQuantity, CommitmentDiscountUnit
-- since: 1.2
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where (CommitmentDiscountQuantity is null) <> (CommitmentDiscountUnit is null)
