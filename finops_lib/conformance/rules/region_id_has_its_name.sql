-- A charge with RegionId has RegionName.
-- focus: RegionId, RegionName
-- since: 1.2
-- severity: warning
-- official validator: finds it
select * from cost_and_usage
where RegionId is not null and RegionName is null
