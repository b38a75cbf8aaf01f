-- A tax names no SKU, no price, no quantity and no pricing category.
-- focus: SkuId, SkuPriceId, PricingCategory, PricingQuantity
-- since: 1.2
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where ChargeCategory = 'Tax' and (
    SkuId is not null or SkuPriceId is not null or PricingCategory is not null or PricingQuantity is not null
    or ListUnitPrice is not null or ContractedUnitPrice is not null
)
