-- Every invocation that telemetry counted is in fct_serverless_unit_cost, once.
with counted as (
    select
        (select sum(invocations) from {{ ref('stg_function_run') }}) as delivered,
        (select sum(invocations) from {{ ref('fct_serverless_unit_cost') }}) as shown
)

select * from counted
where coalesce(delivered, 0) <> coalesce(shown, 0)
