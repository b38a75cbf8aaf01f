-- No vendor's day and operation is counted by two in one account, and none that anybody counted is left out.
with counted as (
    select
        vendor,
        cast(usage_start as date) as usage_date,
        operation,
        account_id,
        count(distinct counted_by) as counters
    from {{ ref('int_ai_usage_counted') }}
    group by vendor, cast(usage_start as date), operation, account_id
),

delivered as (
    select distinct
        vendor,
        cast(usage_start as date) as usage_date,
        operation
    from {{ ref('stg_ai_usage') }}
)

select
    vendor,
    usage_date,
    operation,
    'counted twice' as broken
from counted
where counters > 1
union all
select
    delivered.vendor,
    delivered.usage_date,
    delivered.operation,
    'left out' as broken
from delivered
left join counted
    on
        delivered.vendor = counted.vendor
        and delivered.usage_date = counted.usage_date
        and delivered.operation = counted.operation
where counted.vendor is null
