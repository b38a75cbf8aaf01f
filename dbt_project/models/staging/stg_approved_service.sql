select
    service_provider_name,
    service_name,
    model,
    approved_on,
    owner,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'approved_service') }}
