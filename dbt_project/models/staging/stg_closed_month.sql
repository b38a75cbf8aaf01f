select
    source_name,
    billing_account_id,
    month,
    closed_on,
    late_delivery,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'closed_month') }}
