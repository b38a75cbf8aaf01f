select
    subject_kind,
    subject,
    owner,
    cost_center,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'owner') }}
