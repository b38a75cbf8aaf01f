select
    delivered.budget_name,
    delivered.month,
    {{ registered_name("'team'", 'delivered.team') }} as team,
    {{ registered_name("'product'", 'delivered.product') }} as product,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    {{ registered_name("'service_name'", 'delivered.service_name') }} as service_name,
    delivered.lifecycle,
    delivered.amount,
    delivered.currency,
    delivered.owner,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'budget') }} as delivered
