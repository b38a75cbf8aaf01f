-- A charge period ends after it starts.
-- focus: ChargePeriodStart, ChargePeriodEnd
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargePeriodStart >= ChargePeriodEnd
