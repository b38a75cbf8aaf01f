select
    provider,
    account_id,
    account_name,
    parent_account_id,
    environment,
    project,
    application,
    use_case,
    product,
    team,
    cost_center,
    business_unit,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'account') }}
