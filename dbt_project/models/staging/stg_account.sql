select
    delivered.provider,
    delivered.account_id,
    delivered.account_name,
    delivered.parent_account_id,
    {{ registered_name("'environment'", 'delivered.environment') }} as environment,
    {{ registered_name("'project'", 'delivered.project') }} as project,
    {{ registered_name("'application'", 'delivered.application') }} as application,
    {{ registered_name("'use_case'", 'delivered.use_case') }} as use_case,
    {{ registered_name("'product'", 'delivered.product') }} as product,
    {{ registered_name("'team'", 'delivered.team') }} as team,
    {{ registered_name("'cost_center'", 'delivered.cost_center') }} as cost_center,
    {{ registered_name("'business_unit'", 'delivered.business_unit') }} as business_unit,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'account') }} as delivered
