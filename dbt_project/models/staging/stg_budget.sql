select
    budget_name,
    month,
    team,
    product,
    use_case,
    service_name,
    lifecycle,
    amount,
    currency,
    owner,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'budget') }}
