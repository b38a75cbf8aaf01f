-- A credit has no price, so its ListCost and ContractedCost are its BilledCost.
-- focus: ListCost, ContractedCost
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory = 'Credit' and (ListCost <> BilledCost or ContractedCost <> BilledCost)
