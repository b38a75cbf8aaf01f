select
    month,
    category,
    team,
    amount,
    currency,
    owner,
    evidence,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'organisation_cost') }}
