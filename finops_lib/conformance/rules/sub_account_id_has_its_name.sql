-- A charge with SubAccountId has SubAccountName.
-- focus: SubAccountId, SubAccountName
-- since: 1.0
-- severity: warning
-- official validator: finds it
select * from cost_and_usage
where SubAccountId is not null and SubAccountName is null
