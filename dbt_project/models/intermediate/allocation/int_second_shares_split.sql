-- The cost of every pool that receives from pools of the first stage, and what it received, split over its consumers.
with {{ received_in_stage(2, ['int_first_shares_split']) }},

{{ split_pools() }}
