-- ListCost is ListUnitPrice times PricingQuantity.
-- focus: ListCost, ListUnitPrice
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where product_is_off(ListCost, ListUnitPrice, PricingQuantity)
