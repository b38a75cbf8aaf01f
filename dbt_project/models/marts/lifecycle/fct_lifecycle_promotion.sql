-- Experiments that became production: when, by what evidence, and what a day cost in the 30 days before and from then
-- on. One row per subject, date and currency it was billed in. Before any pool is split.
with windows as (
    select
        promotions.*,
        cast({{ dbt.dateadd('day', -30, 'promotions.promoted_on') }} as date) as window_start,
        cast({{ dbt.dateadd('day', 30, 'promotions.promoted_on') }} as date) as window_end
    from {{ ref('int_promotions_found') }} as promotions
),

first_day as (
    select min(charge_date) as first_date
    from {{ ref('int_charges_summed') }}
    where charge_category = 'Usage'
),

spans as (
    select
        windows.*,
        {{ dbt.datediff('greatest(windows.window_start, first_day.first_date)', 'windows.promoted_on', 'day') }}
            as days_before,
        {{ dbt.datediff('windows.promoted_on', 'least(windows.window_end, data_date.data_through)', 'day') }}
        + case when data_date.data_through < windows.window_end then 1 else 0 end as days_after
    from windows
    cross join first_day
    cross join {{ ref('int_data_date_found') }} as data_date
),

charged as (
    select
        spans.subject_kind,
        spans.subject,
        spans.promoted_on,
        days.charge_date,
        days.charge_date >= spans.promoted_on as is_after,
        days.team,
        days.lifecycle,
        days.lifecycle_evidence,
        days.billing_currency,
        days.effective_cost
    from spans
    inner join {{ ref('int_subject_days_summed') }} as days
        on
            spans.subject_kind = days.subject_kind
            and spans.subject = days.subject
            and spans.window_start <= days.charge_date
            and spans.window_end > days.charge_date
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

costs as (
    select
        subject_kind,
        subject,
        promoted_on,
        billing_currency,
        max(team) as team,
        sum(case when is_after then 0 else effective_cost end) as effective_cost_before,
        sum(case when is_after then effective_cost else 0 end) as effective_cost_after
    from charged
    group by subject_kind, subject, promoted_on, billing_currency
)

select
    spans.subject_kind,
    spans.subject,
    spans.promoted_on,
    spans.last_experiment_date,
    costs.team,
    evidence.evidence_before,
    evidence.evidence_after,
    costs.billing_currency,
    cast(spans.days_before as bigint) as days_before,
    cast(spans.days_after as bigint) as days_after,
    cast(costs.effective_cost_before as decimal(38, 18)) as effective_cost_before,
    cast(costs.effective_cost_after as decimal(38, 18)) as effective_cost_after,
    {{ ratio('costs.effective_cost_before', 'spans.days_before') }} as effective_cost_per_day_before,
    {{ ratio('costs.effective_cost_after', 'spans.days_after') }} as effective_cost_per_day_after
from spans
inner join costs
    on
        spans.subject_kind = costs.subject_kind
        and spans.subject = costs.subject
        and spans.promoted_on = costs.promoted_on
left join evidence
    on
        spans.subject_kind = evidence.subject_kind
        and spans.subject = evidence.subject
        and spans.promoted_on = evidence.promoted_on
