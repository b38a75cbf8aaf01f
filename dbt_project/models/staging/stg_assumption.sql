select
    name,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    value,
    currency,
    to_currency,
    valid_from,
    owner,
    evidence,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'assumption') }} as delivered
