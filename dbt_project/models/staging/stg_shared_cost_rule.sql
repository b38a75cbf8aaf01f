select
    delivered.rule_id,
    {{ registered_name("'team'", 'delivered.pool_team') }} as pool_team,
    delivered.driver,
    {{ registered_name("'team'", 'delivered.consumer_team') }} as consumer_team,
    delivered.valid_from,
    delivered.valid_to,
    delivered.pool_field,
    case
        when delivered.pool_field = 'charge_kind' then delivered.pool_value
        else {{ registered_name("coalesce(delivered.pool_field, 'team')", 'delivered.pool_value') }}
    end as pool_value,
    delivered.share,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'shared_cost_rule') }} as delivered
