select
    delivered.metric,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    delivered.threshold,
    delivered.currency,
    delivered.valid_from,
    delivered.owner,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'target') }} as delivered
