-- What the lake holds, from when to when, and whether what should come every day still does: costs and usage by source,
-- provider and billing account, everything else by source. The plan has no days.
-- Up to which day each source has reported, and whether that is its habit: what reports every day is late after one day
-- without, what reports every week after a week. For cost_and_usage the days are those of Usage charges of at most a
-- day: purchases, taxes and longer charges may be dated ahead of the data. A charge longer than a day tells nothing
-- about the days reported, but where a source bills nothing else.
with settings as (
    select
        max(case when measure = 'source_late_days' then value end) as late_days,
        max(case when measure = 'source_ended_days' then value end) as ended_days,
        max(case when measure = 'source_habit_days' then value end) as habit_days,
        max(case when measure = 'source_habit_share' then value end) as habit_share
    from {{ ref('dim_threshold') }}
),

delivered as (
    select
        'cost_and_usage' as dataset,
        source_name,
        service_provider_name,
        billing_account_id,
        charge_date as day,
        charge_category = 'Usage' as is_usage,
        is_spread,
        charge_count as row_count
    from {{ ref('int_charges_summed') }}
    union all
    select
        'ai_usage' as dataset,
        x_adapter as source_name,
        vendor as service_provider_name,
        account_id as billing_account_id,
        cast(usage_start as date) as day,
        true as is_usage,
        false as is_spread,
        1 as row_count
    from {{ ref('stg_ai_usage') }}
    union all
    select
        'gpu_utilization' as dataset,
        x_adapter as source_name,
        provider as service_provider_name,
        account_id as billing_account_id,
        cast(usage_start as date) as day,
        true as is_usage,
        false as is_spread,
        1 as row_count
    from {{ ref('stg_gpu_utilization') }}
    union all
    select
        'function_run' as dataset,
        x_adapter as source_name,
        provider as service_provider_name,
        account_id as billing_account_id,
        cast(usage_start as date) as day,
        true as is_usage,
        false as is_spread,
        1 as row_count
    from {{ ref('stg_function_run') }}
),

days as (
    select
        dataset,
        source_name,
        service_provider_name,
        billing_account_id,
        {{ row_key(['dataset', 'source_name', 'service_provider_name', 'billing_account_id']) }} as source_key,
        day,
        is_usage,
        is_spread,
        sum(row_count) as row_count
    from delivered
    group by dataset, source_name, service_provider_name, billing_account_id, day, is_usage, is_spread
),

sources as (
    select
        source_key,
        dataset,
        source_name,
        service_provider_name,
        billing_account_id,
        min(case when is_usage and row_count > 0 then day end) as first_date,
        max(case when is_usage and not is_spread then day end) as last_short_day,
        max(case when is_usage then day end) as last_billed_day,
        sum(row_count) as row_count
    from days
    group by source_key, dataset, source_name, service_provider_name, billing_account_id
),

gaps as (
    select
        days.source_key,
        days.day,
        {{ dbt.datediff('lag(days.day) over (partition by days.source_key order by days.day)', 'days.day', 'day') }}
            as gap,
        max(days.day) over (partition by days.source_key) as newest_day
    from days
    inner join sources on days.source_key = sources.source_key
    where
        days.is_usage
        and days.row_count > 0
        and days.is_spread = (sources.last_short_day is null)
),

ranked_gaps as (
    select
        gaps.*,
        row_number() over (partition by gaps.source_key order by gaps.gap) as gap_rank,
        count(*) over (partition by gaps.source_key) as gap_count,
        settings.habit_share
    from gaps
    cross join settings
    where
        gaps.gap is not null
        and {{ dbt.datediff('gaps.day', 'gaps.newest_day', 'day') }} < settings.habit_days -- noqa: LT05
),

-- One outage is no habit: the gap that most gaps are no longer than.
habits as (
    select
        source_key,
        min(gap) as usual_gap_days
    from ranked_gaps
    where gap_rank >= habit_share * gap_count
    group by source_key
),

dated as (
    select
        sources.*,
        case
            when sources.last_short_day is not null then sources.last_short_day
            when sources.last_billed_day > data_date.data_through then data_date.data_through
            else sources.last_billed_day
        end as last_date,
        coalesce(habits.usual_gap_days, 1) as usual_gap_days
    from sources
    cross join {{ ref('int_data_date_found') }} as data_date
    left join habits on sources.source_key = habits.source_key
),

newest as (
    select max(last_date) as newest_date
    from dated
),

measured as (
    select
        dated.*,
        {{ dbt.datediff('dated.last_date', 'newest.newest_date', 'day') }} as days_behind, -- noqa: LT05
        greatest(dated.usual_gap_days, settings.late_days) as allowed_days,
        greatest(dated.usual_gap_days, settings.ended_days) as ended_days
    from dated
    cross join newest
    cross join settings
),

-- Of these nothing is expected day by day.
others as (
    select
        'training_run' as dataset,
        x_adapter as source_name,
        cast(started_at as date) as day
    from {{ ref('stg_training_run') }}
    union all
    select
        'outcome' as dataset,
        x_adapter as source_name,
        period_start as day
    from {{ ref('stg_outcome') }}
    union all
    select
        'forecast' as dataset,
        x_adapter as source_name,
        data_through as day
    from {{ ref('stg_forecast') }}
    union all
    select
        'forecast_accuracy' as dataset,
        x_adapter as source_name,
        data_through as day
    from {{ ref('stg_forecast_accuracy') }}
    union all
    select
        'budget' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_budget') }}
    union all
    select
        'tag_rule' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_tag_rule') }}
    union all
    select
        'shared_cost_rule' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_shared_cost_rule') }}
    union all
    select
        'tag_alias' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_tag_alias') }}
    union all
    select
        'account' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_account') }}
    union all
    select
        'lifecycle_rule' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_lifecycle_rule') }}
    union all
    select
        'owner' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_owner') }}
    union all
    select
        'approved_service' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_approved_service') }}
    union all
    select
        'invoice' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_invoice') }}
    union all
    select
        'closed_month' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_closed_month') }}
    union all
    select
        'assumption' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_assumption') }}
    union all
    select
        'organisation_cost' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_organisation_cost') }}
    union all
    select
        'experiment' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_experiment') }}
    union all
    select
        'threshold' as dataset,
        x_adapter as source_name,
        cast(null as date) as day
    from {{ ref('stg_threshold') }}
)

select
    dataset,
    source_name as source,
    service_provider_name,
    billing_account_id,
    first_date,
    last_date,
    cast(row_count as bigint) as row_count,
    cast(days_behind as bigint) as days_behind,
    cast(case when last_date is not null then usual_gap_days end as bigint) as usual_gap_days,
    cast(case when last_date is not null then allowed_days end as bigint) as allowed_days,
    case
        when days_behind is null then 'no usage'
        when days_behind < usual_gap_days then 'current'
        when days_behind <= allowed_days then 'late'
        when days_behind <= ended_days then 'stopped'
        else 'ended'
    end as status
from measured

union all

select
    dataset,
    source_name as source,
    cast(null as string) as service_provider_name,
    cast(null as string) as billing_account_id,
    min(day) as first_date,
    max(day) as last_date,
    count(*) as row_count,
    cast(null as bigint) as days_behind,
    cast(null as bigint) as usual_gap_days,
    cast(null as bigint) as allowed_days,
    cast(null as string) as status
from others
group by dataset, source_name
