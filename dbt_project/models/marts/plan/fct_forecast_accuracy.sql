-- How wrong the latest forecast's models were on days they had not seen.
select
    accuracy.forecast_id,
    accuracy.data_through,
    accuracy.scope,
    accuracy.scope_value,
    accuracy.currency,
    accuracy.model,
    accuracy.horizon_days,
    accuracy.folds,
    accuracy.wape,
    accuracy.bias,
    accuracy.coverage,
    accuracy.skill
from {{ ref('stg_forecast_accuracy') }} as accuracy
inner join {{ ref('int_latest_forecast_found') }} as latest on accuracy.forecast_id = latest.forecast_id
