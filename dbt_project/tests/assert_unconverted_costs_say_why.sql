-- A cost is told in the reporting currency, or says why it cannot be; never both, never neither.
select *
from {{ ref('fct_reporting_currency_cost') }}
where
    (unconverted_reason is null) <> (reporting_effective_cost is not null)
    or (reporting_effective_cost is null) <> (reporting_billed_cost is null)
