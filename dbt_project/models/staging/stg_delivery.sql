select
    dataset,
    source,
    billing_account,
    month,
    corrects,
    delivery_id,
    cast(delivered_at as timestamp) as delivered_at,
    rows_published,
    rows_rejected,
    effective_by_day,
    withdrawn
from {{ source('lake', 'delivery') }}
