-- Properties of a SKU price are those of a price the charge names.
-- focus: SkuPriceDetails, SkuPriceId
-- since: 1.1
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where SkuPriceDetails is not null and SkuPriceId is null
