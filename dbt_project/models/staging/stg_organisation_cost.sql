select
    delivered.month,
    delivered.category,
    {{ registered_name("'team'", 'delivered.team') }} as team,
    delivered.amount,
    delivered.currency,
    delivered.owner,
    delivered.evidence,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'organisation_cost') }} as delivered
