-- AllocatedTags is one JSON object whose values are texts, numbers or true and false.
-- focus: AllocatedTags, KeyValueFormat
-- since: 1.3
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where not is_flat_object(AllocatedTags)
