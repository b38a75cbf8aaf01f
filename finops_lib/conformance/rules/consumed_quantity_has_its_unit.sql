-- ConsumedQuantity and ConsumedUnit are both there or both null.
-- focus: ConsumedQuantity, ConsumedUnit
-- since: 1.2
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where (ConsumedQuantity is null) <> (ConsumedUnit is null)
