select
    tag_key,
    alias,
    value,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'tag_alias') }}
