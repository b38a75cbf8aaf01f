select
    rule_id,
    priority,
    dimension,
    field,
    tag_key,
    operator,
    pattern,
    {{ registered_name('delivered.dimension', 'delivered.value') }} as value,
    valid_from,
    valid_to,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'tag_rule') }} as delivered
