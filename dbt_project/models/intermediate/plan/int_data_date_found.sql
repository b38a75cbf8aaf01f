-- Up to which day there is data: the last day with a Usage charge. Purchases and taxes may be dated ahead of it.
-- Always one row; null where there is no usage yet.
select max(charge_date) as data_through
from {{ ref('int_charges_summed') }}
where charge_category = 'Usage'
