-- ChargeCategory is one of the values FOCUS lists.
-- focus: ChargeCategory
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeCategory not in ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment')
