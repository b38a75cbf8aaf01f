select
    rule_id,
    pool_team,
    driver,
    consumer_team,
    valid_from,
    valid_to,
    pool_field,
    pool_value,
    share,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'shared_cost_rule') }}
