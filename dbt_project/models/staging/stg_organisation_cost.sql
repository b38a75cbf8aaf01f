select
    month,
    category,
    {{ registered_name("'team'", 'delivered.team') }} as team,
    amount,
    currency,
    owner,
    evidence,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'organisation_cost') }} as delivered
