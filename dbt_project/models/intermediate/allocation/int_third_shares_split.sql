-- The cost of every pool that receives from pools of the second stage, and what it received, split over its consumers.
with {{ received_in_stage(3, ['int_first_shares_split', 'int_second_shares_split']) }},

{{ split_pools() }}
