-- Unit prices are 0 or more.
-- focus: ListUnitPrice, ContractedUnitPrice
-- since: 1.0
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where least(ListUnitPrice, ContractedUnitPrice, PricingCurrencyListUnitPrice, PricingCurrencyContractedUnitPrice) < 0
