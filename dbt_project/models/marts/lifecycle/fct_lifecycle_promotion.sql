-- Experiments that became production: when, by what evidence, and what a day cost in the 30 days before and from then
-- on, over the days that each of its sources had. One row per subject, date and currency it was billed in. Before any
-- pool is split.
-- A subject is promoted on the first day of at least a week of usage that costs more as production than as experiment,
-- after at least a week of the contrary. Shorter stretches are noise and left out. Days are those with usage, so that a
-- quiet weekend ends no stretch.
with stances as (
    select
        subject_kind,
        subject,
        billing_currency,
        charge_date,
        case
            when
                sum(case when lifecycle = 'experiment' then usage_cost else 0 end)
                > sum(case when lifecycle = 'production' then usage_cost else 0 end)
                then 'experiment'
            when
                sum(case when lifecycle = 'experiment' then usage_cost else 0 end)
                < sum(case when lifecycle = 'production' then usage_cost else 0 end)
                then 'production'
        end as stance
    from {{ ref('int_subject_days_summed') }}
    group by subject_kind, subject, billing_currency, charge_date
),

numbered as (
    select
        *,
        row_number() over (partition by subject_kind, subject, billing_currency order by charge_date)
        - row_number() over (partition by subject_kind, subject, billing_currency, stance order by charge_date)
            as stretch
    from stances
    where stance is not null
),

stretches as (
    select
        subject_kind,
        subject,
        billing_currency,
        stance,
        min(charge_date) as first_date,
        max(charge_date) as last_date
    from numbered
    group by subject_kind, subject, billing_currency, stance, stretch
    having count(*) >= 7
),

followed as (
    select
        *,
        lag(stance) over (partition by subject_kind, subject, billing_currency order by first_date) as stance_before,
        lag(last_date) over (partition by subject_kind, subject, billing_currency order by first_date) as date_before
    from stretches
),

promotions as (
    select
        subject_kind,
        subject,
        first_date as promoted_on,
        max(date_before) as last_experiment_date
    from followed
    where stance = 'production' and stance_before = 'experiment'
    group by subject_kind, subject, first_date
),

windows as (
    select
        promotions.*,
        cast({{ dbt.dateadd('day', -30, 'promotions.promoted_on') }} as date) as window_start,
        cast({{ dbt.dateadd('day', 30, 'promotions.promoted_on') }} as date) as window_end
    from promotions
),

-- A source has no days before its first export: those are not days on which it cost nothing.
first_days as (
    select
        service_provider_name,
        billing_account_id,
        min(charge_date) as first_date
    from {{ ref('int_charges_summed') }}
    where charge_category = 'Usage'
    group by service_provider_name, billing_account_id
),

charged as (
    select
        windows.subject_kind,
        windows.subject,
        windows.promoted_on,
        days.service_provider_name,
        days.billing_account_id,
        days.charge_date,
        days.charge_date >= windows.promoted_on as is_after,
        days.team,
        days.lifecycle,
        days.lifecycle_evidence,
        days.billing_currency,
        days.effective_cost
    from windows
    inner join {{ ref('int_subject_days_summed') }} as days
        on
            windows.subject_kind = days.subject_kind
            and windows.subject = days.subject
            and windows.window_start <= days.charge_date
            and windows.window_end > days.charge_date
),

-- The evidence of most days stands for the window.
evidence_ranked as (
    select
        subject_kind,
        subject,
        promoted_on,
        is_after,
        lifecycle_evidence,
        row_number() over (
            partition by subject_kind, subject, promoted_on, is_after
            order by count(distinct charge_date) desc, lifecycle_evidence asc
        ) as evidence_rank
    from charged
    where lifecycle = case when is_after then 'production' else 'experiment' end
    group by subject_kind, subject, promoted_on, is_after, lifecycle_evidence
),

evidence as (
    select
        subject_kind,
        subject,
        promoted_on,
        max(case when not is_after then lifecycle_evidence end) as evidence_before,
        max(case when is_after then lifecycle_evidence end) as evidence_after
    from evidence_ranked
    where evidence_rank = 1
    group by subject_kind, subject, promoted_on
),

of_sources as (
    select
        windows.subject_kind,
        windows.subject,
        windows.promoted_on,
        charged.billing_currency,
        max(charged.team) as team,
        case
            when first_days.first_date < windows.promoted_on
                then {{ dbt.datediff(
                    'greatest(windows.window_start, first_days.first_date)', 'windows.promoted_on', 'day'
                ) }}
            else 0
        end as days_before,
        {{ dbt.datediff('windows.promoted_on', 'least(windows.window_end, data_date.data_through)', 'day') }}
        + case when data_date.data_through < windows.window_end then 1 else 0 end as days_after,
        sum(case when charged.is_after then 0 else charged.effective_cost end) as effective_cost_before,
        sum(case when charged.is_after then charged.effective_cost else 0 end) as effective_cost_after
    from windows
    cross join {{ ref('int_data_date_found') }} as data_date
    inner join charged
        on
            windows.subject_kind = charged.subject_kind
            and windows.subject = charged.subject
            and windows.promoted_on = charged.promoted_on
    left join first_days
        on
            charged.service_provider_name = first_days.service_provider_name
            and charged.billing_account_id = first_days.billing_account_id
    group by
        windows.subject_kind, windows.subject, windows.promoted_on, windows.window_start, windows.window_end,
        charged.billing_currency, charged.service_provider_name, charged.billing_account_id, first_days.first_date,
        data_date.data_through
),

costs as (
    select
        subject_kind,
        subject,
        promoted_on,
        billing_currency,
        max(team) as team,
        max(days_before) as days_before,
        max(days_after) as days_after,
        sum(effective_cost_before) as effective_cost_before,
        sum(effective_cost_after) as effective_cost_after,
        sum({{ ratio('effective_cost_before', 'days_before') }}) as effective_cost_per_day_before
    from of_sources
    group by subject_kind, subject, promoted_on, billing_currency
)

select
    windows.subject_kind,
    windows.subject,
    windows.promoted_on,
    windows.last_experiment_date,
    costs.team,
    evidence.evidence_before,
    evidence.evidence_after,
    costs.billing_currency,
    cast(costs.days_before as bigint) as days_before,
    cast(costs.days_after as bigint) as days_after,
    cast(costs.effective_cost_before as decimal(38, 18)) as effective_cost_before,
    cast(costs.effective_cost_after as decimal(38, 18)) as effective_cost_after,
    costs.effective_cost_per_day_before,
    {{ ratio('costs.effective_cost_after', 'costs.days_after') }} as effective_cost_per_day_after
from windows
inner join costs
    on
        windows.subject_kind = costs.subject_kind
        and windows.subject = costs.subject
        and windows.promoted_on = costs.promoted_on
left join evidence
    on
        windows.subject_kind = evidence.subject_kind
        and windows.subject = evidence.subject
        and windows.promoted_on = evidence.promoted_on
