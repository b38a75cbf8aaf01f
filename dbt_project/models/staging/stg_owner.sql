select
    delivered.subject_kind,
    case
        when delivered.subject_kind in ('team', 'product', 'use_case', 'model')
            then {{ registered_name('delivered.subject_kind', 'delivered.subject') }}
        else delivered.subject
    end as subject,
    delivered.owner,
    {{ registered_name("'cost_center'", 'delivered.cost_center') }} as cost_center,
    delivered.x_adapter,
    delivered.x_source_file,
    delivered.x_source_row
from {{ source('lake', 'owner') }} as delivered
