select
    invoice_issuer,
    invoice_id,
    billing_account_id,
    month,
    currency,
    amount,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'invoice') }}
