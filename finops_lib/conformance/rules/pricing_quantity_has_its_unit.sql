-- PricingQuantity and PricingUnit are both there or both null.
-- focus: PricingQuantity, PricingUnit
-- since: 1.2
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where (PricingQuantity is null) <> (PricingUnit is null)
