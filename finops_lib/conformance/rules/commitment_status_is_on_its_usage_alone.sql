-- CommitmentDiscountStatus is on usage that names a commitment, and on nothing else.
-- focus: CommitmentDiscountStatus
-- since: 1.0
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where (ChargeCategory = 'Usage' and CommitmentDiscountId is not null) <> (CommitmentDiscountStatus is not null)
