-- A charge with ResourceType has ResourceId.
-- focus: ResourceId, ResourceType
-- since: 1.2
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where ResourceType is not null and ResourceId is null
