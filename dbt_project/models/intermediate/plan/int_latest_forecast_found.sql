-- The forecast that saw the most data; nothing where none was made.
with forecasts as (
    select distinct
        forecast_id,
        data_through,
        generated_at
    from {{ ref('stg_forecast') }}
),

ranked as (
    select
        *,
        row_number() over (order by data_through desc, generated_at desc, forecast_id desc) as forecast_rank
    from forecasts
)

select
    forecast_id,
    data_through
from ranked
where forecast_rank = 1
