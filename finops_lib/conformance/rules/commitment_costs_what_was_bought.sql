-- Within the billing period of its recurring fee, a commitment's EffectiveCost adds up to its BilledCost: what was bought
-- is what was used and left unused.
-- focus: EffectiveCost, CommitmentDiscountId
-- since: 1.0
-- severity: warning
-- official validator: misses it
select charge.x_SourceFile, charge.x_SourceRow
from cost_and_usage as charge
join (
    select CommitmentDiscountId, BillingPeriodStart
    from cost_and_usage
    where CommitmentDiscountId is not null
    group by CommitmentDiscountId, BillingPeriodStart
    having sum(EffectiveCost) <> sum(BilledCost)
        and bool_or(ChargeCategory = 'Purchase' and ChargeFrequency = 'Recurring')
        and not exists (
            -- What was paid at once is used over years, most of which are not in the lake.
            select 1 from cost_and_usage as once
            where once.CommitmentDiscountId = cost_and_usage.CommitmentDiscountId
                and once.ChargeCategory = 'Purchase' and once.ChargeFrequency is distinct from 'Recurring'
        )
) as offending using (CommitmentDiscountId, BillingPeriodStart)
