-- Every summed charge with its own dimensions, lifecycle and persistence, each with its evidence, before any pool is
-- split. One row in, one row out.
select
    charges.*,
    {{ attributed_columns() }}
from {{ ref('int_charges_summed') }} as charges
{{ attribution_joins() }}
