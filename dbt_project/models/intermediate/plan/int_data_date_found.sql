-- Up to which day there is data: the last day with a Usage charge of at most a day. Purchases and taxes may be dated
-- ahead of it, and so may the days of longer charges, which count by their first day and only where there are no
-- others. Always one row; null where there is no usage yet. Each source's own date is in fct_data_freshness.
select
    coalesce(
        max(case when not is_spread then charge_date end),
        max(case when charge_count > 0 then charge_date end)
    ) as data_through
from {{ ref('int_charges_summed') }}
where charge_category = 'Usage'
