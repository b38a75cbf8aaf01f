-- What days cost that a source has not reported, or not reported whole, up to the company's last day of data: like a
-- charge, but as estimated_cost, because nothing of it is billed. It is gone with the next build that has the bill.
--   A day without a report is what its weekday cost on average in the last weeks, subject by subject, at the level of
--     the source's last week; where a source is too new for that, what its days cost on average.
--   A standing charge, one that recurs and is longer than a day, goes on at what its last day cost.
--   A day that the source habitually restates is what it says, and what such days have grown by.
-- Once-only charges and corrections, sources that have ended and closed months are not estimated.
-- estimated_margin is half the interval that as many days as estimate_coverage (a threshold) have been in; all of the
-- estimate where nobody can tell yet.
{% set of_source = ['source_name', 'service_provider_name', 'billing_account_id'] %}
{% set subject = of_source + [
    'sub_account_id', 'service_category', 'service_name', 'charge_category', 'charge_kind', 'resource_id',
    'resource_name', 'x_api_key_id', 'charge_description', 'tags', 'x_model', 'x_token_kind', 'x_service_tier',
    'billing_currency', 'subject_key',
] %}

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
        {% for column in of_source %}sources.{{ column }},
        {% endfor -%}
        sources.first_date,
        sources.last_date,
        data_date.data_through,
        cast(settings.weeks as int) as weeks,
        settings.coverage
    from {{ ref('int_sources_dated') }} as sources
    cross join {{ ref('int_data_date_found') }} as data_date
    cross join settings
    where sources.dataset = 'cost_and_usage' and sources.status not in ('ended', 'no usage')
),

-- The days that are to be known: those not reported, and the last that were, by which the estimate is tested.
wanted_days as (
    select
        {% for column in of_source %}sources.{{ column }},
        {% endfor -%}
        sources.first_date,
        sources.last_date,
        sources.weeks,
        sources.coverage,
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
        {% for column in of_source %}sources.{{ column }},
        {% endfor -%}
        sources.first_date,
        sources.last_date,
        sources.weeks,
        sources.coverage,
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
        count(*) over (partition by {{ of_source | join(', ') }}, charge_date) as base_count
    from base_days
),

charges as (
    select
        {% for column in subject %}charges.{{ column }},
        {% endfor -%}
        charges.charge_date,
        charges.is_spread,
        charges.effective_cost,
        cast(charges.effective_cost as double) as reported,
        case
            when not charges.is_spread and restatements.growth_ratio is not null
                then cast(charges.effective_cost as double) * (restatements.growth_ratio - 1)
            else 0
        end as completion
    from {{ ref('int_charges_summed') }} as charges
    inner join sources
        on
            charges.source_name = sources.source_name
            and charges.service_provider_name = sources.service_provider_name
            and charges.billing_account_id = sources.billing_account_id
            and charges.charge_date >= {{ dbt.dateadd('day', '-14 * (sources.weeks + 1)', 'sources.last_date') }}
    left join {{ ref('int_restatements_measured') }} as restatements
        on
            charges.source_name = restatements.source_name
            and charges.billing_account_id = restatements.billing_account_id
            and charges.billing_currency = restatements.billing_currency
            and {{ dbt.datediff('charges.charge_date', 'sources.last_date', 'day') }} = restatements.lag_days -- noqa: LT05
    where charges.is_recurring
),

source_days as (
    select
        {{ of_source | join(', ') }},
        billing_currency,
        charge_date,
        sum(reported + completion) as cost
    from charges
    where not is_spread
    group by {{ of_source | join(', ') }}, billing_currency, charge_date
),

currencies as (
    select distinct
        {{ of_source | join(', ') }},
        billing_currency
    from source_days
),

weeks_known as (
    select
        {% for column in of_source %}days.{{ column }},
        {% endfor -%}
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
            {{ same_source('days', 'known') }}
            and days.known_through >= known.charge_date
            and known.charge_date > {{ dbt.dateadd('day', '-7 * days.weeks', 'days.known_through') }}
    group by {{ 'days.' ~ of_source | join(', days.') }}, known.billing_currency, days.charge_date
),

levels as (
    select
        {{ of_source | join(', ') }},
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
        {% for column in of_source %}days.{{ column }},
        {% endfor -%}
        currencies.billing_currency,
        days.charge_date,
        sum(coalesce(base.cost, 0)) / max(days.base_count) * max(coalesce(levels.level_ratio, 1)) as expected,
        max(coalesce(actual.cost, 0)) as cost,
        max(days.coverage) as coverage
    from counted_days as days
    inner join currencies on {{ same_source('days', 'currencies') }}
    left join source_days as base
        on
            {{ same_source('days', 'base') }}
            and currencies.billing_currency = base.billing_currency
            and days.base_date = base.charge_date
    left join levels
        on
            {{ same_source('days', 'levels') }}
            and currencies.billing_currency = levels.billing_currency
            and days.charge_date = levels.charge_date
    left join source_days as actual
        on
            {{ same_source('days', 'actual') }}
            and currencies.billing_currency = actual.billing_currency
            and days.charge_date = actual.charge_date
    where days.days_after <= 0
    group by {{ 'days.' ~ of_source | join(', days.') }}, currencies.billing_currency, days.charge_date
),

ranked_tests as (
    select
        *,
        abs(cost - expected) / nullif(abs(expected), 0) as error_ratio,
        row_number() over (
            partition by {{ of_source | join(', ') }}, billing_currency
            order by abs(cost - expected) / nullif(abs(expected), 0)
        ) as error_rank,
        count(*) over (partition by {{ of_source | join(', ') }}, billing_currency) as test_count
    from tests
    where expected <> 0
),

margins as (
    select
        {{ of_source | join(', ') }},
        billing_currency,
        min(error_ratio) as margin_ratio
    from ranked_tests
    where error_rank >= coverage * test_count and test_count >= 7
    group by {{ of_source | join(', ') }}, billing_currency
),

unreported as (
    select
        {% for column in subject %}charges.{{ column }},
        {% endfor -%}
        days.charge_date,
        sum(charges.reported + charges.completion) / max(days.base_count)
        * max(coalesce(levels.level_ratio, 1)) as estimate
    from counted_days as days
    inner join charges
        on
            {{ same_source('days', 'charges') }}
            and days.base_date = charges.charge_date
            and not charges.is_spread
    left join levels
        on
            {{ same_source('days', 'levels') }}
            and charges.billing_currency = levels.billing_currency
            and days.charge_date = levels.charge_date
    where days.days_after > 0
    group by {{ 'charges.' ~ subject | join(', charges.') }}, days.charge_date
),

standing as (
    select
        {{ subject | join(',\n        ') }},
        charge_date as last_day,
        reported,
        row_number() over (partition by {{ subject | join(', ') }} order by charge_date desc) as day_rank
    from charges
    where is_spread
),

estimates as (
    select
        {% for column in subject %}unreported.{{ column }},
        {% endfor -%}
        unreported.charge_date,
        unreported.estimate,
        abs(unreported.estimate) * coalesce(margins.margin_ratio, 1) as margin,
        false as is_spread
    from unreported
    left join margins
        on {{ same_source('unreported', 'margins') }} and unreported.billing_currency = margins.billing_currency

    union all

    select
        {% for column in subject %}standing.{{ column }},
        {% endfor -%}
        days.charge_date,
        standing.reported as estimate,
        cast(0 as double) as margin,
        true as is_spread
    from wanted_days as days
    inner join standing
        on
            {{ same_source('days', 'standing') }}
            and days.last_date <= standing.last_day
            and days.charge_date > standing.last_day
            and standing.day_rank = 1
    where days.days_after > 0

    union all

    select
        {% for column in subject %}{{ column }},
        {% endfor -%}
        charge_date,
        completion as estimate,
        abs(completion) as margin,
        false as is_spread
    from charges
    where completion <> 0
),

dated as (
    select
        {% for column in subject %}estimates.{{ column }},
        {% endfor -%}
        estimates.charge_date,
        {{ month_text('estimates.charge_date') }} as billing_month,
        estimates.is_spread,
        periods.rules_as_of,
        -- Sums of doubles differ in their last digits from one build to the next.
        {{ as_amount('round(sum(estimates.estimate), 9)') }} as estimated_cost,
        {{ as_amount('round(sum(estimates.margin), 9)') }} as estimated_margin
    from estimates
    inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('estimates.charge_date', 'periods') }}
    group by
        {{ 'estimates.' ~ subject | join(', estimates.') }}, estimates.charge_date, estimates.is_spread,
        periods.rules_as_of
)

select
    charges.*,
    {{ attributed_columns() }}
from dated as charges
{{ attribution_joins() }}
where months_closed.billing_month is null
