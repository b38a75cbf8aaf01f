-- A charge with ResourceName has ResourceId.
-- focus: ResourceId, ResourceName
-- since: 1.0
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where ResourceName is not null and ResourceId is null
