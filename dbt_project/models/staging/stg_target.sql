select
    metric,
    use_case,
    threshold,
    currency,
    valid_from,
    owner,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'target') }}
