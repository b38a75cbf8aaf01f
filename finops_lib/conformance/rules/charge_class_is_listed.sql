-- ChargeClass is one of the values FOCUS lists.
-- focus: ChargeClass
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where ChargeClass not in ('Correction')
