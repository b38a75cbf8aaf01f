-- Usage that a purchase covers is billed 0: the purchase is what is paid.
-- focus: BilledCost, CommitmentDiscountStatus
-- since: 1.0
-- severity: error
-- official validator: misses it
select charge.x_SourceFile, charge.x_SourceRow
from cost_and_usage as charge
join (
    select distinct CommitmentDiscountId
    from cost_and_usage
    where CommitmentDiscountId is not null and ChargeCategory = 'Purchase' and BilledCost <> 0 and EffectiveCost = 0
) as covering using (CommitmentDiscountId)
where charge.CommitmentDiscountStatus in ('Used', 'Unused') and charge.BilledCost <> 0
