-- A charge with SubAccountName has SubAccountId.
-- focus: SubAccountId, SubAccountName
-- since: 1.0
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where SubAccountName is not null and SubAccountId is null
