-- PricingCategory is one of the values FOCUS lists.
-- focus: PricingCategory
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where PricingCategory not in ('Standard', 'Dynamic', 'Committed', 'Other')
