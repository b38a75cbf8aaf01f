-- No two charges are equal in everything that tells charges apart and what they cost.
-- focus: rows of the dataset
-- since: 1.0
-- severity: warning
-- official validator: misses it
select x_SourceFile, x_SourceRow
from (
    select any_value(x_SourceFile) as x_SourceFile, any_value(x_SourceRow) as x_SourceRow, count(*) as times
    from cost_and_usage
    group by hash(
        BillingAccountId, SubAccountId, BillingPeriodStart, ChargePeriodStart, ChargePeriodEnd, ChargeCategory,
        ChargeDescription, ServiceName, RegionId, ResourceId, SkuPriceId, AllocatedResourceId, CommitmentDiscountId,
        CommitmentDiscountStatus, PricingQuantity, BilledCost, EffectiveCost, Tags
    )
) as kinds
where times > 1
