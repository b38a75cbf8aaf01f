-- A charge that names no SKU price has no unit price, no quantity and no pricing category.
-- focus: SkuPriceId
-- since: 1.3
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where SkuPriceId is null and (
    ListUnitPrice is not null or ContractedUnitPrice is not null or PricingCurrencyListUnitPrice is not null
    or PricingCurrencyContractedUnitPrice is not null or PricingQuantity is not null or PricingCategory is not null
    or ConsumedQuantity is not null or CommitmentDiscountQuantity is not null
)
