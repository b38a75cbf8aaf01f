select
    metric,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    threshold,
    currency,
    valid_from,
    owner,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'target') }} as delivered
