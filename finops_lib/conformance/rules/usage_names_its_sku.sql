-- Usage and purchases that correct nothing name their SKU and its price.
-- focus: SkuId, SkuPriceId
-- since: 1.0
-- severity: warning
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory in ('Usage', 'Purchase') and ChargeClass is null and (SkuId is null or SkuPriceId is null)
