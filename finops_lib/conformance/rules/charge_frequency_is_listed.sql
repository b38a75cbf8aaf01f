-- ChargeFrequency is one of the values FOCUS lists.
-- focus: ChargeFrequency
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeFrequency not in ('One-Time', 'Recurring', 'Usage-Based')
