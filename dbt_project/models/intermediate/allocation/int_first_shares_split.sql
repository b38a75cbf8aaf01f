-- The cost of every pool that receives from no other, split over its consumers to the last digit.
with {{ received_in_stage(1, []) }},

{{ split_pools() }}
