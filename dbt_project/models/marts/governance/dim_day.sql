-- Every UTC day of the data and of its forecast, so that a day on which nothing happened can be shown. One row a day;
-- none where there is no data.
with digits (digit) as (
    select * from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))
),

numbers as (
    select ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit as number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
),

seen as (
    select
        first_date,
        last_date
    from {{ ref('fct_data_freshness') }}
    union all
    select
        charge_date as first_date,
        charge_date as last_date
    from {{ ref('int_charges_summed') }}
    union all
    select
        charge_date as first_date,
        charge_date as last_date
    from {{ ref('fct_forecast') }}
),

bounds as (
    select
        min(first_date) as first_date,
        max(last_date) as last_date
    from seen
),

days as (
    select cast({{ dbt.dateadd('day', 'numbers.number', 'bounds.first_date') }} as date) as date_day
    from bounds
    inner join numbers on {{ dbt.datediff('bounds.first_date', 'bounds.last_date', 'day') }} >= numbers.number -- noqa: LT05
)

select
    date_day,
    {{ month_text('date_day') }} as month
from days
