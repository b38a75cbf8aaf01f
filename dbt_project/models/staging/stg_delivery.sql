select
    delivered.dataset,
    delivered.source,
    delivered.billing_account,
    delivered.month,
    delivered.corrects,
    delivered.delivery_id,
    cast(delivered.delivered_at as timestamp) as delivered_at,
    delivered.rows_published,
    delivered.rows_rejected,
    delivered.withdrawn
from {{ source('lake', 'delivery') }}
