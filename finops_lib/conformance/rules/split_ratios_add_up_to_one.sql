-- The ratios of the parts of a split charge add up to 1.
-- focus: AllocatedMethodDetails
-- since: 1.3
-- severity: error
-- official validator: misses it
select first(x_SourceFile order by x_SourceFile, x_SourceRow) as x_SourceFile,
    first(x_SourceRow order by x_SourceFile, x_SourceRow) as x_SourceRow
from (
    select *, unnest(from_json(
        json_extract(AllocatedMethodDetails, '$.Elements'), '[{"AllocatedRatio": "DECIMAL(38, 18)", "UsageUnit": "VARCHAR"}]'
    )) as element
    from cost_and_usage
    where AllocatedMethodDetails is not null
) as parts
group by BillingAccountId, AllocatedMethodId, ResourceId, SkuPriceId, ChargeDescription, ChargePeriodStart, ChargePeriodEnd,
    x_SourceFile, element.UsageUnit
having abs(sum(element.AllocatedRatio) - 1) > 0.000000001
