-- Up to which day each source has reported, and whether that is its habit: what reports every day is late after one day
-- without, what reports every week after a week. Costs are those of each provider and billing account by themselves.
-- A charge longer than a day tells nothing about the days reported, but where a source bills nothing else.
{% set source = ['dataset', 'source_name', 'service_provider_name', 'billing_account_id'] %}
{% set telemetry = {
    'ai_usage': ('vendor', 'account_id', 'usage_start'),
    'gpu_utilization': ('provider', 'account_id', 'usage_start'),
    'function_run': ('provider', 'account_id', 'usage_start'),
} %}

with settings as (
    select
        max(case when measure = 'source_late_days' then value end) as late_days,
        max(case when measure = 'source_ended_days' then value end) as ended_days,
        max(case when measure = 'source_habit_days' then value end) as habit_days,
        max(case when measure = 'source_habit_share' then value end) as habit_share
    from {{ ref('dim_threshold') }}
),

cost_days as (
    select
        'cost_and_usage' as dataset,
        source_name,
        service_provider_name,
        billing_account_id,
        charge_date as day,
        charge_category = 'Usage' as is_usage,
        is_spread,
        sum(charge_count) as row_count
    from {{ ref('int_charges_summed') }}
    group by source_name, service_provider_name, billing_account_id, charge_date, charge_category = 'Usage', is_spread
),

cost_sources as (
    select
        {{ source | join(',\n        ') }},
        min(case when is_usage and row_count > 0 then day end) as first_date,
        max(case when is_usage and not is_spread then day end) as last_short_day,
        max(case when is_usage then day end) as last_billed_day,
        sum(row_count) as row_count
    from cost_days
    group by {{ source | join(', ') }}
),

reported as (
    select
        {% for column in source %}cost_days.{{ column }},
        {% endfor -%}
        cost_days.day
    from cost_days
    inner join cost_sources
        on
            cost_days.source_name = cost_sources.source_name
            and cost_days.service_provider_name = cost_sources.service_provider_name
            and cost_days.billing_account_id = cost_sources.billing_account_id
    where
        cost_days.is_usage
        and cost_days.row_count > 0
        and cost_days.is_spread = (cost_sources.last_short_day is null)
    {% for dataset, (provider, account, instant) in telemetry.items() %}
    union all
    select distinct
        '{{ dataset }}' as dataset,
        x_adapter as source_name,
        {{ provider }} as service_provider_name,
        {{ account }} as billing_account_id,
        cast({{ instant }} as date) as day
    from {{ ref('stg_' ~ dataset) }}
    {% endfor %}
),

gaps as (
    select
        *,
        {{ dbt.datediff('lag(day) over (partition by ' ~ source | join(', ') ~ ' order by day)', 'day', 'day') }} as gap, -- noqa: LT05
        max(day) over (partition by {{ source | join(', ') }}) as newest_day
    from reported
),

ranked_gaps as (
    select
        gaps.*,
        row_number() over (partition by {{ 'gaps.' ~ source | join(', gaps.') }} order by gaps.gap) as gap_rank,
        count(*) over (partition by {{ 'gaps.' ~ source | join(', gaps.') }}) as gap_count,
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
        {{ source | join(',\n        ') }},
        min(gap) as usual_gap_days
    from ranked_gaps
    where gap_rank >= habit_share * gap_count
    group by {{ source | join(', ') }}
),

sources as (
    select
        {% for column in source %}cost_sources.{{ column }},
        {% endfor -%}
        cost_sources.first_date,
        case
            when cost_sources.last_short_day is not null then cost_sources.last_short_day
            when cost_sources.last_billed_day > data_date.data_through then data_date.data_through
            else cost_sources.last_billed_day
        end as last_date,
        cast(cost_sources.row_count as bigint) as row_count
    from cost_sources
    cross join {{ ref('int_data_date_found') }} as data_date
    {% for dataset, (provider, account, instant) in telemetry.items() %}
    union all
    select
        '{{ dataset }}' as dataset,
        x_adapter as source_name,
        {{ provider }} as service_provider_name,
        {{ account }} as billing_account_id,
        min(cast({{ instant }} as date)) as first_date,
        max(cast({{ instant }} as date)) as last_date,
        count(*) as row_count
    from {{ ref('stg_' ~ dataset) }}
    group by x_adapter, {{ provider }}, {{ account }}
    {% endfor %}
),

newest as (
    select max(last_date) as newest_date
    from sources
),

measured as (
    select
        sources.*,
        coalesce(habits.usual_gap_days, 1) as usual_gap_days,
        {{ dbt.datediff('sources.last_date', 'newest.newest_date', 'day') }} as days_behind, -- noqa: LT05
        settings.late_days,
        settings.ended_days
    from sources
    cross join newest
    cross join settings
    left join habits
        on
            sources.dataset = habits.dataset
            and sources.source_name = habits.source_name
            and coalesce(sources.service_provider_name, '') = coalesce(habits.service_provider_name, '')
            and coalesce(sources.billing_account_id, '') = coalesce(habits.billing_account_id, '')
)

select
    {{ source | join(',\n    ') }},
    first_date,
    last_date,
    row_count,
    cast(days_behind as bigint) as days_behind,
    cast(case when last_date is not null then usual_gap_days end as bigint) as usual_gap_days,
    cast(case when last_date is not null then greatest(usual_gap_days, late_days) end as bigint) as allowed_days,
    case
        when days_behind is null then 'no usage'
        when days_behind < usual_gap_days then 'current'
        when days_behind <= greatest(usual_gap_days, late_days) then 'late'
        when days_behind <= greatest(usual_gap_days, ended_days) then 'stopped'
        else 'ended'
    end as status
from measured
