-- What days cost that a source has not reported, or not reported whole, up to the company's last day of data: like a
-- charge, but as estimated_cost, because nothing of it is billed. It is gone with the next build that has the bill.
--   A day without a report is what its weekday cost on average in the last weeks, subject by subject, at the level of
--     the source's last week; where a source is too new for that, what its days cost on average.
--   A standing charge, one that recurs and is longer than a day, goes on at what its last day cost.
--   A day that the source habitually restates is what it says, and what such days have grown by.
-- Once-only charges and corrections, sources that have ended and closed months are not estimated.
-- estimated_margin is half the interval that as many days as estimate_coverage (a threshold) have been in; all of the
-- estimate where nobody can tell yet.
with digits (digit) as (
    select *
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))
),

numbers as (
    select hundreds.digit * 100 + tens.digit * 10 + ones.digit as number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
),

settings as (
    select
        max(case when measure = 'estimate_weeks' then value end) as weeks,
        max(case when measure = 'estimate_coverage' then value end) as coverage
    from {{ ref('dim_threshold') }}
),

sources as (
    select
        {{ row_key(['sources.source', 'sources.service_provider_name', 'sources.billing_account_id']) }} as source_key,
        sources.first_date,
        sources.last_date,
        data_date.data_through,
        cast(settings.weeks as int) as weeks,
        settings.coverage
    from {{ ref('fct_data_freshness') }} as sources
    cross join {{ ref('int_data_date_found') }} as data_date
    cross join settings
    where sources.dataset = 'cost_and_usage' and sources.status not in ('ended', 'no usage')
),

-- The days that are to be known: those not reported, and the last that were, by which the estimate is tested.
wanted_days as (
    select
        sources.*,
        cast({{ dbt.dateadd('day', 'numbers.number', 'sources.last_date') }} as date) as charge_date,
        numbers.number as days_after,
        cast(floor((numbers.number + 6) / 7.0) as int) * 7 as whole_weeks,
        sources.last_date as known_through
    from sources
    inner join numbers
        on
            numbers.number > 0
            and {{ dbt.datediff('sources.last_date', 'sources.data_through', 'day') }} >= numbers.number -- noqa: LT05

    union all

    select
        sources.*,
        cast({{ dbt.dateadd('day', '-numbers.number', 'sources.last_date') }} as date) as charge_date,
        -numbers.number as days_after,
        7 as whole_weeks,
        cast({{ dbt.dateadd('day', '-numbers.number - 1', 'sources.last_date') }} as date) as known_through
    from sources
    inner join numbers on sources.weeks * 7 > numbers.number
    where
        sources.last_date < sources.data_through
        and {{ dbt.dateadd('day', '-numbers.number', 'sources.last_date') }} >= sources.first_date
),

same_weekdays as (
    select
        wanted_days.*,
        cast(
            {{ dbt.dateadd('day', '-wanted_days.whole_weeks - 7 * numbers.number', 'wanted_days.charge_date') }} -- noqa: LT05
            as date
        ) as base_date
    from wanted_days
    inner join numbers on wanted_days.weeks > numbers.number
),

base_days as (
    select * from same_weekdays
    where base_date >= first_date

    union all

    select
        wanted_days.*,
        cast({{ dbt.dateadd('day', 'numbers.number', 'wanted_days.first_date') }} as date) as base_date
    from wanted_days
    inner join numbers
        on {{ dbt.datediff('wanted_days.first_date', 'wanted_days.last_date', 'day') }} >= numbers.number -- noqa: LT05
    where
        wanted_days.days_after > 0
        and {{ dbt.dateadd('day', '-wanted_days.whole_weeks', 'wanted_days.charge_date') }} < wanted_days.first_date
),

counted_days as (
    select
        *,
        count(*) over (partition by source_key, charge_date) as base_count
    from base_days
),

-- A series is what is estimated day by day: the charges of one subject that are alike.
keyed as (
    select
        *,
        {{ row_key(['source_name', 'service_provider_name', 'billing_account_id']) }} as source_key,
        {{ row_key([
            'source_name', 'service_category', 'charge_category', 'charge_kind', 'x_token_kind', 'x_service_tier',
            'billing_currency', 'subject_key'
        ]) }} as series_key
    from {{ ref('int_charges_summed') }}
    where is_recurring
),

charges as (
    select
        keyed.*,
        cast(keyed.effective_cost as double) as reported,
        case
            when not keyed.is_spread and restatements.growth_ratio is not null
                then cast(keyed.effective_cost as double) * (restatements.growth_ratio - 1)
            else 0
        end as completion
    from keyed
    inner join sources
        on
            keyed.source_key = sources.source_key
            and keyed.charge_date >= {{ dbt.dateadd('day', '-14 * (sources.weeks + 1)', 'sources.last_date') }}
    left join {{ ref('int_restatements_measured') }} as restatements
        on
            keyed.source_name = restatements.source_name
            and keyed.billing_account_id = restatements.billing_account_id
            and keyed.billing_currency = restatements.billing_currency
            and {{ dbt.datediff('keyed.charge_date', 'sources.last_date', 'day') }} = restatements.lag_days -- noqa: LT05
),

source_days as (
    select
        source_key,
        billing_currency,
        charge_date,
        sum(reported + completion) as cost
    from charges
    where not is_spread
    group by source_key, billing_currency, charge_date
),

currencies as (
    select distinct
        source_key,
        billing_currency
    from source_days
),

weeks_known as (
    select
        days.source_key,
        known.billing_currency,
        days.charge_date,
        max(
            least(days.weeks * 7, {{ dbt.datediff('days.first_date', 'days.known_through', 'day') }} + 1) -- noqa: LT05
        ) as known_days,
        sum(known.cost) as cost,
        sum(
            case
                when known.charge_date > {{ dbt.dateadd('day', -7, 'days.known_through') }} then known.cost
                else 0
            end
        ) as last_week_cost
    from wanted_days as days
    inner join source_days as known
        on
            days.source_key = known.source_key
            and days.known_through >= known.charge_date
            and known.charge_date > {{ dbt.dateadd('day', '-7 * days.weeks', 'days.known_through') }}
    group by days.source_key, known.billing_currency, days.charge_date
),

levels as (
    select
        source_key,
        billing_currency,
        charge_date,
        case
            when known_days >= 14 and cost > 0 and last_week_cost > 0
                then (last_week_cost / 7) / (cost / known_days)
            else 1
        end as level_ratio
    from weeks_known
),

tests as (
    select
        days.source_key,
        currencies.billing_currency,
        days.charge_date,
        sum(coalesce(base.cost, 0)) / max(days.base_count) * max(coalesce(levels.level_ratio, 1)) as expected,
        max(coalesce(actual.cost, 0)) as cost,
        max(days.coverage) as coverage
    from counted_days as days
    inner join currencies on days.source_key = currencies.source_key
    left join source_days as base
        on
            days.source_key = base.source_key
            and currencies.billing_currency = base.billing_currency
            and days.base_date = base.charge_date
    left join levels
        on
            days.source_key = levels.source_key
            and currencies.billing_currency = levels.billing_currency
            and days.charge_date = levels.charge_date
    left join source_days as actual
        on
            days.source_key = actual.source_key
            and currencies.billing_currency = actual.billing_currency
            and days.charge_date = actual.charge_date
    where days.days_after <= 0
    group by days.source_key, currencies.billing_currency, days.charge_date
),

ranked_tests as (
    select
        *,
        abs(cost - expected) / nullif(abs(expected), 0) as error_ratio,
        row_number() over (
            partition by source_key, billing_currency order by abs(cost - expected) / nullif(abs(expected), 0)
        ) as error_rank,
        count(*) over (partition by source_key, billing_currency) as test_count
    from tests
    where expected <> 0
),

margins as (
    select
        source_key,
        billing_currency,
        min(error_ratio) as margin_ratio
    from ranked_tests
    where error_rank >= coverage * test_count and test_count >= 7
    group by source_key, billing_currency
),

unreported as (
    select
        charges.source_key,
        charges.billing_currency,
        charges.series_key,
        days.charge_date,
        sum(charges.reported + charges.completion) / max(days.base_count)
        * max(coalesce(levels.level_ratio, 1)) as estimate
    from counted_days as days
    inner join charges
        on
            days.source_key = charges.source_key
            and days.base_date = charges.charge_date
            and not charges.is_spread
    left join levels
        on
            days.source_key = levels.source_key
            and charges.billing_currency = levels.billing_currency
            and days.charge_date = levels.charge_date
    where days.days_after > 0
    group by charges.source_key, charges.billing_currency, charges.series_key, days.charge_date
),

standing as (
    select
        source_key,
        series_key,
        charge_date as last_day,
        reported,
        row_number() over (partition by series_key order by charge_date desc) as day_rank
    from charges
    where is_spread
),

estimates as (
    select
        unreported.series_key,
        unreported.charge_date,
        unreported.estimate,
        abs(unreported.estimate) * coalesce(margins.margin_ratio, 1) as margin,
        false as is_spread
    from unreported
    left join margins
        on
            unreported.source_key = margins.source_key
            and unreported.billing_currency = margins.billing_currency

    union all

    select
        standing.series_key,
        days.charge_date,
        standing.reported as estimate,
        cast(0 as double) as margin,
        true as is_spread
    from wanted_days as days
    inner join standing
        on
            days.source_key = standing.source_key
            and days.last_date <= standing.last_day
            and days.charge_date > standing.last_day
            and standing.day_rank = 1
    where days.days_after > 0

    union all

    select
        series_key,
        charge_date,
        completion as estimate,
        abs(completion) as margin,
        false as is_spread
    from charges
    where completion <> 0
),

daily as (
    select
        series_key,
        charge_date,
        {{ month_text('charge_date') }} as billing_month,
        is_spread,
        -- Sums of doubles differ in their last digits from one build to the next.
        {{ as_amount('round(sum(estimate), 9)') }} as estimated_cost,
        {{ as_amount('round(sum(margin), 9)') }} as estimated_margin
    from estimates
    group by series_key, charge_date, is_spread
),

series as (
    select
        *,
        row_number() over (partition by series_key order by charge_date desc) as recency
    from charges
),

-- What the bill says of the accounts' months, and of what was billed in them.
closed_months as (
    select distinct
        source_name,
        billing_account_id,
        billing_month
    from {{ ref('int_charges_summed') }}
    where is_closed
),

persistent_things as (
    select distinct
        {{ month_text('charge_date') }} as month,
        billing_account_id,
        coalesce(resource_id, x_api_key_id) as billed_thing
    from {{ ref('int_charges_summed') }}
    where is_billed_persistently
)

select
    series.source_name,
    series.service_provider_name,
    series.billing_account_id,
    series.sub_account_id,
    series.service_category,
    series.service_name,
    series.charge_category,
    series.charge_kind,
    series.resource_id,
    series.resource_name,
    series.x_api_key_id,
    series.charge_description,
    series.tags,
    series.x_model,
    series.x_token_kind,
    series.x_service_tier,
    series.billing_currency,
    series.subject_key,
    periods.rules_as_of,
    daily.charge_date,
    daily.billing_month,
    daily.is_spread,
    daily.estimated_cost,
    daily.estimated_margin,
    things.billed_thing is not null as is_billed_persistently
from daily
inner join series on daily.series_key = series.series_key and series.recency = 1
inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('daily.charge_date', 'periods') }}
left join persistent_things as things
    on
        {{ month_text('daily.charge_date') }} = things.month
        and series.billing_account_id = things.billing_account_id
        and coalesce(series.resource_id, series.x_api_key_id) = things.billed_thing
left join closed_months
    on
        series.source_name = closed_months.source_name
        and series.billing_account_id = closed_months.billing_account_id
        and daily.billing_month = closed_months.billing_month
where closed_months.billing_month is null
