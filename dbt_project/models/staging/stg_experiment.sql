select
    experiment,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    tag_key,
    tag_value,
    owner,
    planned_start,
    planned_end,
    budget,
    currency,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'experiment') }} as delivered
