select
    rule_id,
    {{ registered_name("'team'", 'delivered.pool_team') }} as pool_team,
    driver,
    {{ registered_name("'team'", 'delivered.consumer_team') }} as consumer_team,
    valid_from,
    valid_to,
    pool_field,
    case
        when pool_field = 'charge_kind' then pool_value
        else {{ registered_name("coalesce(delivered.pool_field, 'team')", 'delivered.pool_value') }}
    end as pool_value,
    share,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'shared_cost_rule') }} as delivered
