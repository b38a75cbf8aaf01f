-- ContractedCost is ContractedUnitPrice times PricingQuantity.
-- focus: ContractedCost, ContractedUnitPrice
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where product_is_off(ContractedCost, ContractedUnitPrice, PricingQuantity)
