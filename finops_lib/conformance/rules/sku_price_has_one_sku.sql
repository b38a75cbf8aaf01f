-- A SkuPriceId belongs to one SkuId.
-- focus: SkuPriceId, SkuId
-- since: 1.2
-- severity: error
-- official validator: finds it
select charge.x_SourceFile, charge.x_SourceRow
from cost_and_usage as charge
join (
    select SkuPriceId
    from cost_and_usage
    group by SkuPriceId
    having min(SkuId) <> max(SkuId)
) as offending using (SkuPriceId)
