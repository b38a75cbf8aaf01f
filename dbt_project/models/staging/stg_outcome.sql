select
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    delivered.period_start,
    delivered.period_end,
    delivered.unit_name,
    delivered.units,
    delivered.accepted_units,
    delivered.revenue,
    delivered.currency,
    delivered.hours_saved,
    delivered.satisfaction,
    delivered.active_users,
    delivered.eligible_users,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'outcome') }} as delivered
