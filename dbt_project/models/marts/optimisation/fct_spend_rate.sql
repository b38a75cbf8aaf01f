-- What each team's services cost in each hour of the data's month and the one before: billed by the hour,
-- averaged over the day or period that was billed, or estimated: after the last period that a vendor has billed for its
-- models from the tokens counted since at list price, and else from what days not reported yet used to cost. A period
-- billed ahead of the data ends with the data. Usage alone: tax, credits and purchases have no rate.
-- Grain: hour × team × service × basis × currency.
-- Each hour's part of a longer period is rounded once, and the last hour takes the residue.
with span as (
    select
        cast({{ dbt.dateadd('month', -1, dbt.date_trunc('month', 'data_through')) }} as timestamp) as first_instant,
        cast({{ dbt.dateadd('day', 1, 'data_through') }} as timestamp) as end_of_data
    from {{ ref('int_data_date_found') }}
),

billed_until as (
    select
        service_provider_name,
        max(last_period_end) as billed_until
    from {{ ref('int_charges_by_day') }}
    where charge_category = 'Usage' and (x_model is not null or x_token_kind is not null)
    group by service_provider_name
),

model_services as (
    select
        service_provider_name,
        max(service_name) as service_name
    from {{ ref('int_charges_summed') }}
    where x_model is not null or x_token_kind is not null
    group by service_provider_name
),

-- Engines leave unread the files of months that no recent charge is in.
recent_months as (
    select distinct charges.lake_month
    from {{ ref('int_charges_by_day') }} as charges
    inner join span on charges.charge_date >= cast(span.first_instant as date)
),

counted as (
    select usage.*
    from {{ ref('int_usage_attributed') }} as usage
    inner join span on usage.usage_start >= span.first_instant
    left join billed_until on usage.service_provider_name = billed_until.service_provider_name
    where billed_until.billed_until is null or usage.usage_start >= billed_until.billed_until
),

charges as (
    select
        charges.charge_period_start as period_start,
        least(charges.charge_period_end, span.end_of_data) as period_end,
        charges.service_provider_name,
        charges.service_name,
        charges.billing_currency,
        'billed' as told_by,
        {{ subject_key() }} as subject_key,
        sum(charges.effective_cost) as effective_cost
    from {{ ref('stg_cost_and_usage') }} as charges
    inner join recent_months on charges.lake_month = recent_months.lake_month
    inner join span on charges.charge_period_start >= span.first_instant
    where
        charges.charge_category = 'Usage'
        and charges.charge_period_end <= {{ dbt.dateadd('day', 1, 'charges.charge_period_start') }}
    group by
        charges.charge_period_start, least(charges.charge_period_end, span.end_of_data),
        charges.service_provider_name, charges.billing_account_id, charges.sub_account_id, charges.service_name,
        charges.resource_id, charges.resource_name, charges.x_api_key_id, charges.charge_description, charges.x_model,
        charges.tags, charges.billing_currency

    union all

    select
        cast(charges.charge_date as timestamp) as period_start,
        cast({{ dbt.dateadd('day', 1, 'charges.charge_date') }} as timestamp) as period_end,
        charges.service_provider_name,
        charges.service_name,
        charges.billing_currency,
        'spread' as told_by,
        {{ subject_key() }} as subject_key,
        charges.effective_cost
    from {{ ref('int_charges_by_day') }} as charges
    inner join span
        on
            charges.charge_date >= cast(span.first_instant as date)
            and charges.charge_date < cast(span.end_of_data as date)
    where charges.charge_category = 'Usage' and charges.is_spread

    union all

    -- What a vendor has counted since its last bill is better known than what it used to cost.
    select
        cast(charges.charge_date as timestamp) as period_start,
        cast({{ dbt.dateadd('day', 1, 'charges.charge_date') }} as timestamp) as period_end,
        charges.service_provider_name,
        charges.service_name,
        charges.billing_currency,
        'estimated' as told_by,
        charges.subject_key,
        charges.estimated_cost as effective_cost
    from {{ ref('int_charges_estimated') }} as charges
    inner join span on charges.charge_date >= cast(span.first_instant as date)
    where
        charges.charge_category = 'Usage'
        and (
            (charges.x_model is null and charges.x_token_kind is null)
            or charges.service_provider_name not in (
                select counted.service_provider_name
                from counted
            )
        )
),

owned as (
    select
        charges.period_start,
        charges.period_end,
        coalesce(attributed.team, 'unallocated') as team,
        charges.service_provider_name,
        charges.service_name,
        charges.billing_currency,
        charges.told_by,
        charges.effective_cost,
        0 as unpriced_requests
    from charges
    inner join {{ ref('stg_rule_period') }} as periods
        on {{ in_period('cast(charges.period_start as date)', 'periods') }}
    left join {{ ref('int_subjects_attributed') }} as attributed
        on charges.subject_key = attributed.subject_key and periods.rules_as_of = attributed.rules_as_of

    union all

    select
        counted.usage_start as period_start,
        counted.usage_end as period_end,
        counted.team,
        counted.service_provider_name,
        coalesce(model_services.service_name, 'unknown') as service_name,
        counted.estimated_cost_currency as billing_currency,
        'estimated' as told_by,
        counted.estimated_cost as effective_cost,
        case when counted.price_status = 'unpriced' then counted.requests else 0 end as unpriced_requests
    from counted
    left join model_services on counted.service_provider_name = model_services.service_provider_name
),

timed as (
    select
        period_start,
        period_end,
        team,
        service_provider_name,
        service_name,
        billing_currency,
        told_by,
        {{ dbt.datediff('period_start', 'period_end', 'second') }} as seconds, -- noqa: LT05
        sum(effective_cost) as effective_cost,
        sum(unpriced_requests) as unpriced_requests
    from owned
    group by period_start, period_end, team, service_provider_name, service_name, billing_currency, told_by
),

lasting as (
    select
        *,
        cast({{ dbt.date_trunc('hour', 'period_start') }} as timestamp) as first_hour,
        cast(least(greatest(ceil(seconds / 3600.0), 1), 2000) as int) as hours
    from timed
),

digits (digit) as (
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
