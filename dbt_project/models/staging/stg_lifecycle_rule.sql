select
    rule_id,
    priority,
    lifecycle,
    persistence,
    field,
    tag_key,
    operator,
    pattern,
    valid_from,
    valid_to,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'lifecycle_rule') }}
