-- List price, contracted price and effective cost are converted by one rate (to a millionth).
-- focus: PricingCurrencyEffectiveCost, PricingCurrencyListUnitPrice
-- since: 1.2
-- severity: warning
-- official validator: misses it
select * from cost_and_usage
where PricingCurrency <> BillingCurrency and (
    rate_differs(PricingCurrencyListUnitPrice, ListUnitPrice, PricingCurrencyContractedUnitPrice, ContractedUnitPrice)
    or rate_differs(PricingCurrencyListUnitPrice, ListUnitPrice, PricingCurrencyEffectiveCost, EffectiveCost)
    or rate_differs(PricingCurrencyContractedUnitPrice, ContractedUnitPrice, PricingCurrencyEffectiveCost, EffectiveCost)
)
