-- A part of a pool never goes to a name that no charge, usage, telemetry or owner has: nobody would pay it. Before the
-- pools are split the build stops here; fct_plan_finding says which row of the plan it is, and the nearest name.
with known as (
    {{ names_known() }}
)

select
    shared.x_source_file,
    shared.x_source_row,
    shared.consumer_team
from {{ ref('stg_shared_cost_rule') }} as shared
left join known on known.dimension = 'team' and shared.consumer_team = known.name
where shared.driver in ('even', 'fixed') and known.name is null
