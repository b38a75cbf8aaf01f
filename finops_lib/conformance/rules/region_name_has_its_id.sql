-- A charge with RegionName has RegionId.
-- focus: RegionId, RegionName
-- since: 1.0
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where RegionName is not null and RegionId is null
