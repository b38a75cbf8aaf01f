-- The EffectiveCost of billed usage that no commitment and no contract covers is its BilledCost.
-- focus: EffectiveCost
-- since: 1.4
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory = 'Usage' and BilledCost <> 0 and EffectiveCost <> BilledCost
    and CommitmentDiscountId is null and ContractApplied is null
