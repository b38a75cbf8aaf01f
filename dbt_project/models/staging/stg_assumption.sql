select
    delivered.name,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    delivered.value,
    delivered.currency,
    delivered.to_currency,
    delivered.valid_from,
    delivered.owner,
    delivered.evidence,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'assumption') }} as delivered
