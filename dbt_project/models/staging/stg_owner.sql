select
    subject_kind,
    case
        when subject_kind in ('team', 'product', 'use_case', 'model')
            then {{ registered_name('delivered.subject_kind', 'delivered.subject') }}
        else subject
    end as subject,
    owner,
    {{ registered_name("'cost_center'", 'delivered.cost_center') }} as cost_center,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'owner') }} as delivered
