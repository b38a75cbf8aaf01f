select
    budget_name,
    month,
    {{ registered_name("'team'", 'delivered.team') }} as team,
    {{ registered_name("'product'", 'delivered.product') }} as product,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    {{ registered_name("'service_name'", 'delivered.service_name') }} as service_name,
    lifecycle,
    amount,
    currency,
    owner,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'budget') }} as delivered
