select
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    period_start,
    period_end,
    unit_name,
    units,
    accepted_units,
    revenue,
    currency,
    hours_saved,
    satisfaction,
    active_users,
    eligible_users,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'outcome') }} as delivered
