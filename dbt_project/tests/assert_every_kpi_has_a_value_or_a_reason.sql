-- A KPI without a value says why, one with a value needs no reason, and only a value is graded.
select
    kpi,
    edition,
    month,
    team,
    billing_currency
from {{ ref('fct_kpi') }}
where
    (value is null) <> (missing_reason is not null)
    or (value is null and grade is not null)
    or (value is not null and edition is not null and grade is null)
