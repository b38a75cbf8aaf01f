-- The EffectiveCost of a purchase is 0 where it covers other charges, and its BilledCost where it does not.
-- focus: EffectiveCost
-- since: 1.4
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory = 'Purchase' and EffectiveCost not in (0, BilledCost)
