-- A charge that names its SKU price has both unit prices, a quantity and a pricing category.
-- focus: ListUnitPrice, ContractedUnitPrice, PricingQuantity, PricingCategory
-- since: 1.3
-- severity: warning
-- official validator: misses it
select * from cost_and_usage
where SkuPriceId is not null and ChargeCategory in ('Usage', 'Purchase') and ChargeClass is null and (
    ListUnitPrice is null or ContractedUnitPrice is null or PricingQuantity is null or PricingCategory is null
)
