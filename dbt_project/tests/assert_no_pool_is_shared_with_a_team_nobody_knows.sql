-- A part of a pool never goes to a name that no charge, usage, telemetry or owner has: nobody would pay it. The build
-- stops here before pools are split; the finding says which row of the plan it is, and the nearest name.
select
    file,
    file_row,
    found,
    message
from {{ ref('fct_plan_finding') }}
where severity = 'error'
