select
    forecast_id,
    cast(generated_at as timestamp) as generated_at,
    data_through,
    scope,
    scope_value,
    currency,
    model,
    charge_date,
    expected,
    low,
    high,
    known_cost,
    x_adapter,
    x_source_file,
    x_source_row
from {{ source('lake', 'forecast') }}
