select
    measure,
    edition,
    grade,
    value,
    owner,
    evidence,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'threshold') }}
