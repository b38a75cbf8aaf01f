select
    cast(usage_start as timestamp) as usage_start,
    cast(usage_end as timestamp) as usage_end,
    provider,
    account_id,
    function_name,
    resource_id,
    invocations,
    failed_invocations,
    cold_starts,
    billed_duration_ms,
    init_duration_ms,
    memory_size_mb,
    max_memory_used_mb,
    external_api_calls,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'function_run') }}
