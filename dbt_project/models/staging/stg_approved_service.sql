select
    {{ registered_name("'service_provider_name'", 'delivered.service_provider_name') }} as service_provider_name,
    {{ registered_name("'service_name'", 'delivered.service_name') }} as service_name,
    {{ registered_name("'model'", 'delivered.model') }} as model,
    delivered.approved_on,
    delivered.owner,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'approved_service') }} as delivered
