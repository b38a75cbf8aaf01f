-- CommitmentDiscountCategory is one of the values FOCUS lists.
-- focus: CommitmentDiscountCategory
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where CommitmentDiscountCategory not in ('Spend', 'Usage')
