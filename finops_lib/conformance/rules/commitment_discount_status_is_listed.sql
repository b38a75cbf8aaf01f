-- CommitmentDiscountStatus is one of the values FOCUS lists.
-- focus: CommitmentDiscountStatus
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where CommitmentDiscountStatus not in ('Used', 'Unused')
