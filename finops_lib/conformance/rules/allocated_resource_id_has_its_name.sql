-- A charge with AllocatedResourceId has AllocatedResourceName.
-- focus: AllocatedResourceId, AllocatedResourceName
-- since: 1.3
-- severity: error
-- official validator: finds it
select * from cost_and_usage
where AllocatedResourceId is not null and AllocatedResourceName is null
