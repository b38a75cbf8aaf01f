-- How much the last days of each account grow after they are first reported, learnt from the ledger: of a delivery's
-- newest day, the day before it, and so on, what those days cost today over what the delivery said. Only of days that
-- are older today than a source restates. Where too few days are known there is no row, and nothing is completed.
with settings as (
    select
        max(case when measure = 'restated_days' then value end) as restated_days,
        max(case when measure = 'restatements_seen' then value end) as restatements_seen
    from {{ ref('dim_threshold') }}
),

deliveries as (
    select distinct
        source,
        billing_account,
        delivered_at,
        effective_by_day
    from {{ ref('stg_delivery') }}
    where dataset = 'cost_and_usage' and coalesce(corrects, '') = '' and effective_by_day is not null
),

texts as (
    select distinct effective_by_day from deliveries
),

entries as (
    {{ json_entries('texts', 'effective_by_day') }}
),

told as (
    select
        deliveries.source,
        deliveries.billing_account,
        deliveries.delivered_at,
        cast(substr(entries.entry_key, 1, 10) as date) as charge_date,
        substr(entries.entry_key, 12) as billing_currency,
        cast(entries.entry_value as decimal(38, 18)) as effective_cost
    from deliveries
    inner join entries on deliveries.effective_by_day = entries.effective_by_day
),

dated as (
    select
        *,
        max(charge_date) over (partition by source, billing_account, delivered_at) as newest_date,
        max(charge_date) over (partition by source, billing_account) as newest_date_today,
        max(charge_date) over (
            partition by source, billing_account
            order by delivered_at
            range between unbounded preceding and current row
        ) as newest_date_then,
        first_value(effective_cost) over (
            partition by source, billing_account, charge_date, billing_currency
            order by delivered_at desc
        ) as cost_today,
        row_number() over (
            partition by source, billing_account, charge_date, billing_currency
            order by delivered_at desc
        ) = 1 as is_newest
    from told
),

-- What came in only once, such as a month that was loaded afterwards, tells nothing of how it grew.
lagged as (
    select
        dated.*,
        {{ dbt.datediff('dated.charge_date', 'dated.newest_date', 'day') }} as lag_days, -- noqa: LT05
        settings.restatements_seen
    from dated
    cross join settings
    where
        not dated.is_newest
        and dated.newest_date = dated.newest_date_then
        and {{ dbt.datediff('dated.charge_date', 'dated.newest_date', 'day') }} < settings.restated_days -- noqa: LT05
        and {{ dbt.datediff('dated.charge_date', 'dated.newest_date_today', 'day') }} >= settings.restated_days -- noqa: LT05
)

select
    source as source_name,
    billing_account as billing_account_id,
    billing_currency,
    cast(lag_days as bigint) as lag_days,
    count(distinct charge_date) as days_seen,
    {{ ratio('sum(cost_today)', 'sum(effective_cost)') }} as growth_ratio
from lagged
group by source, billing_account, billing_currency, lag_days
having count(distinct charge_date) >= max(restatements_seen)
