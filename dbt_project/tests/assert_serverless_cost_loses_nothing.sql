-- Every charge of serverless compute is in fct_serverless_unit_cost.
{{ money_lost(
    "select billing_currency, billed_cost, effective_cost from " ~ ref('stg_cost_and_usage')
    ~ " where service_subcategory = 'Serverless Compute' or resource_id in (select resource_id from "
    ~ ref('stg_function_run') ~ " where resource_id is not null)",
    'select billing_currency, billed_cost, effective_cost from ' ~ ref('fct_serverless_unit_cost')
    ~ ' where billing_currency is not null',
) }}
