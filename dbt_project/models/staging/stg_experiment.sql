select
    delivered.experiment,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    delivered.tag_key,
    delivered.tag_value,
    delivered.owner,
    delivered.planned_start,
    delivered.planned_end,
    delivered.budget,
    delivered.currency,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'experiment') }} as delivered
