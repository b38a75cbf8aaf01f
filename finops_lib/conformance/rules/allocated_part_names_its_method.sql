-- A part of a split charge names the method of the split.
-- focus: AllocatedMethodId
-- since: 1.3
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where AllocatedMethodId is null and (
    AllocatedResourceId is not null or AllocatedMethodDetails is not null or AllocatedTags is not null
)
