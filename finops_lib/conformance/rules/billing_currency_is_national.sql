-- BillingCurrency is a currency code of three capital letters.
-- focus: BillingCurrency
-- since: 1.0
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where not regexp_matches(BillingCurrency, '^[A-Z]{3}$')
