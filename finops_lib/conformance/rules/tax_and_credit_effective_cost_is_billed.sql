-- The EffectiveCost of a tax or a credit is its BilledCost.
-- focus: EffectiveCost
-- since: 1.4
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory in ('Tax', 'Credit') and EffectiveCost <> BilledCost
