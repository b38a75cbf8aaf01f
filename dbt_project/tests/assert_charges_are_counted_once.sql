-- However a charge is attributed and split, the counts of the marts add up to the charges of the lake.
with counts as (
    select
        (select count(*) from {{ ref('stg_cost_and_usage') }}) as charges,
        (select coalesce(sum(charge_count), 0) from {{ ref('fct_daily_cost') }}) as daily,
        (select coalesce(sum(charge_count), 0) from {{ ref('fct_allocated_cost') }}) as allocated,
        (select coalesce(sum(charge_count), 0) from {{ ref('fct_lifecycle_cost') }}) as lifecycle,
        (select coalesce(sum(charge_count), 0) from {{ ref('fct_showback') }}) as showback
)

select * from counts
where charges <> daily or charges <> allocated or charges <> lifecycle or charges <> showback
