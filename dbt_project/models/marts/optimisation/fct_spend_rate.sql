-- What each team's services cost in each hour of the data's month and the one before: billed by the hour,
-- averaged over the day or period that was billed, or estimated from tokens counted since the last bill. Usage
-- alone: tax, credits and purchases have no rate. Grain: hour × team × service × basis × currency.
-- Each hour's part of a longer period is rounded once, and the last hour takes the residue.
with digits (digit) as (
    select *
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))
),

-- Two months have 1,488 hours.
hours_after as (
    select thousands.digit * 1000 + hundreds.digit * 100 + tens.digit * 10 + ones.digit as hour_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    where thousands.digit < 2
),

timed as (
    select
        *,
        {{ dbt.datediff('period_start', 'period_end', 'second') }} as seconds -- noqa: LT05
    from {{ ref('int_recent_usage_summed') }}
),

lasting as (
    select
        *,
        cast({{ dbt.date_trunc('hour', 'period_start') }} as timestamp) as first_hour,
        cast(least(greatest(ceil(seconds / 3600.0), 1), 2000) as int) as hours
    from timed
),

placed as (
    select
        lasting.*,
        hours_after.hour_number,
        hours_after.hour_number = lasting.hours - 1 as is_last,
        {{ as_amount('cast(lasting.effective_cost as double) / lasting.hours') }} as hour_share
    from lasting
    inner join hours_after on lasting.hours > hours_after.hour_number
    where lasting.hours > 1

    union all

    select
        lasting.*,
        0 as hour_number,
        true as is_last,
        lasting.effective_cost as hour_share
    from lasting
    where lasting.hours = 1
),

residues as (
    select
        *,
        sum(case when is_last then effective_cost else -hour_share end) over (
            partition by
                period_start, period_end, team, service_provider_name, service_name, billing_currency, told_by
        ) as residue
    from placed
),

hourly as (
    select
        cast({{ dbt.dateadd('hour', 'hour_number', 'first_hour') }} as timestamp) as hour_start,
        team,
        service_provider_name,
        service_name,
        case
            when told_by = 'estimated' then 'estimated'
            when told_by = 'spread' then 'period average'
            when hours = 1 then 'hourly'
            when hours <= 24 then 'daily average'
            else 'period average'
        end as basis,
        billing_currency,
        case when is_last then residue else hour_share end as effective_cost,
        case when is_last then unpriced_requests else 0 end as unpriced_requests
    from residues
)

select
    hour_start,
    team,
    service_provider_name,
    service_name,
    basis,
    billing_currency,
    sum(effective_cost) as effective_cost_per_hour,
    cast(sum(unpriced_requests) as bigint) as unpriced_requests
from hourly
group by hour_start, team, service_provider_name, service_name, basis, billing_currency
