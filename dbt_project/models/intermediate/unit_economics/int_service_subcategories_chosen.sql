-- The FOCUS subcategory of each service: the one that most of its charges name, since allocation does not carry it.
with counted as (
    select
        service_provider_name,
        service_category,
        service_name,
        service_subcategory,
        sum(charge_count) as charges
    from {{ ref('int_charges_by_day') }}
    where service_subcategory is not null
    group by service_provider_name, service_category, service_name, service_subcategory
),

ranked as (
    select
        *,
        row_number() over (
            partition by service_provider_name, service_category, service_name
            order by charges desc, service_subcategory asc
        ) as subcategory_rank
    from counted
)

select
    service_provider_name,
    service_category,
    service_name,
    service_subcategory
from ranked
where subcategory_rank = 1
