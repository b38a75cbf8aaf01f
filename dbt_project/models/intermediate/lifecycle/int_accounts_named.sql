-- The names that each sub account goes by on the bill.
select distinct
    sub_account_id,
    sub_account_name
from {{ ref('int_charges_by_day') }}
where sub_account_id is not null and sub_account_name is not null
