-- Where the pricing currency is the billing currency, prices and costs are equal in both.
-- focus: PricingCurrency
-- since: 1.2
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where PricingCurrency = BillingCurrency and (
    PricingCurrencyEffectiveCost <> EffectiveCost or PricingCurrencyListUnitPrice <> ListUnitPrice
    or PricingCurrencyContractedUnitPrice <> ContractedUnitPrice
)
