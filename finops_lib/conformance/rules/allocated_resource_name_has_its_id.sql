-- A charge with AllocatedResourceName has AllocatedResourceId.
-- focus: AllocatedResourceId, AllocatedResourceName
-- since: 1.3
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where AllocatedResourceName is not null and AllocatedResourceId is null
