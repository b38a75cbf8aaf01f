-- As of which date the plan's rules are read on each day: the last day on which any rule began or ended.
-- Rules change rarely, so charges of many days share one reading of them.
with boundaries as (
    select valid_from as boundary from {{ ref('stg_tag_rule') }}
    union distinct
    select valid_to as boundary from {{ ref('stg_tag_rule') }}
    union distinct
    select valid_from as boundary from {{ ref('stg_lifecycle_rule') }}
    union distinct
    select valid_to as boundary from {{ ref('stg_lifecycle_rule') }}
),

days as (
    select charge_date from {{ ref('int_charges_by_day') }}
    union distinct
    select cast(usage_start as date) as charge_date from {{ ref('stg_ai_usage') }}
)

select
    days.charge_date,
    coalesce(max(boundaries.boundary), cast('1900-01-01' as date)) as rules_as_of
from days
left join boundaries on days.charge_date >= boundaries.boundary
group by days.charge_date
