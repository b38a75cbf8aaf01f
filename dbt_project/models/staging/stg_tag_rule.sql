select
    delivered.rule_id,
    delivered.priority,
    delivered.dimension,
    delivered.field,
    delivered.tag_key,
    delivered.operator,
    delivered.pattern,
    {{ registered_name('delivered.dimension', 'delivered.value') }} as value,
    delivered.valid_from,
    delivered.valid_to,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'tag_rule') }} as delivered
