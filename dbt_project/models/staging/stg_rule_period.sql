-- The periods in which no rule of the plan begins or ends: all their days read the rules as of the first. The first
-- period begins before any data, the last has no end. Rules change rarely, so charges of many days share one reading
-- of them.
{{ config(materialized='table') }}
with boundaries as (
    select cast('0001-01-01' as date) as boundary
    {% for dataset in ['tag_rule', 'lifecycle_rule'] %}
    {% for boundary in ['valid_from', 'valid_to'] %}
    union distinct
    select {{ boundary }} as boundary from {{ source('lake', dataset) }}
    {% endfor %}
    {% endfor %}
)

select
    boundary as rules_as_of,
    lead(boundary) over (order by boundary) as valid_to
from boundaries
where boundary is not null
