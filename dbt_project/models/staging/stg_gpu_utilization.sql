select
    cast(usage_start as timestamp) as usage_start,
    cast(usage_end as timestamp) as usage_end,
    provider,
    account_id,
    resource_id,
    device_id,
    gpu_model,
    purpose,
    team,
    utilization_ratio,
    memory_used_ratio,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'gpu_utilization') }}
