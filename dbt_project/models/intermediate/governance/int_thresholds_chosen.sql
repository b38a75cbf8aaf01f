-- The lines that hold: per measure, edition and grade the plan's own for that edition, else the plan's for every
-- edition, else the built-in one. Those of edition 2023 are the FinOps Foundation's; 2026 is a second-hand summary of
-- its maturity page. `is_beyond` says that the line itself is not enough.
with built_in (measure, edition, grade, value, is_beyond) as (
    select *
    from (
        values
        ('spend_allocated', '2023', 'crawl', 0.50, false),
        ('spend_allocated', '2023', 'walk', 0.80, false),
        ('spend_allocated', '2023', 'run', 0.90, true),
        ('spend_allocated', '2026', 'crawl', 0.70, false),
        ('spend_allocated', '2026', 'walk', 0.85, false),
        ('spend_allocated', '2026', 'run', 0.90, true),
        ('tag_compliance', '2023', 'run', 0.90, false),
        ('forecast_accuracy', '2023', 'crawl', 0.20, false),
        ('forecast_accuracy', '2023', 'walk', 0.15, false),
        ('forecast_accuracy', '2023', 'run', 0.12, false),
        ('forecast_accuracy', '2026', 'crawl', 0.20, true),
        ('forecast_accuracy', '2026', 'walk', 0.10, true),
        ('forecast_accuracy', '2026', 'run', 0.05, true),
        ('budget_variance', '2023', 'crawl', 0.20, false),
        ('budget_variance', '2023', 'walk', 0.15, false),
        ('budget_variance', '2023', 'run', 0.12, false),
        ('commitment_coverage', '2023', 'crawl', 0.60, false),
        ('commitment_coverage', '2023', 'walk', 0.70, false),
        ('commitment_coverage', '2023', 'run', 0.80, false),
        ('commitment_coverage', '2026', 'crawl', 0.60, false),
        ('commitment_coverage', '2026', 'walk', 0.75, true),
        ('commitment_coverage', '2026', 'run', 0.80, true),
        ('commitment_utilization', '2023', 'run', 0.80, false),
        ('experiment_to_production', '2023', 'limit', 0.30, false),
        ('idle_resource_share', '2023', 'run', 0.03, false),
        ('cost_visibility_delay', '2023', 'crawl', 31.0, false),
        ('cost_visibility_delay', '2023', 'run', 2.0, false),
        ('orphaned_experiment_days', 'setting', 'limit', 30.0, false),
        ('persistent_days', 'setting', 'limit', 14.0, false),
        ('idle_gpu_utilization', 'setting', 'limit', 0.05, false),
        ('source_late_days', 'setting', 'limit', 3.0, false),
        ('source_ended_days', 'setting', 'limit', 45.0, false),
        ('source_habit_days', 'setting', 'limit', 90.0, false),
        ('source_habit_share', 'setting', 'limit', 0.90, false),
        ('estimate_weeks', 'setting', 'limit', 4.0, false),
        ('estimate_coverage', 'setting', 'limit', 0.80, false),
        ('restated_days', 'setting', 'limit', 7.0, false),
        ('restatements_seen', 'setting', 'limit', 3.0, false)
    )
),

editions as (
    select
        measure,
        edition
    from built_in
    union distinct
    select
        planned.measure,
        coalesce(planned.edition, 'plan') as edition
    from {{ ref('stg_threshold') }} as planned
    where planned.edition is not null or planned.measure not in (select built_in.measure from built_in)
),

candidates as (
    select
        measure,
        edition,
        grade,
        cast(value as double) as value,
        is_beyond,
        3 as choice
    from built_in
    union all
    select
        editions.measure,
        editions.edition,
        planned.grade,
        planned.value,
        false as is_beyond,
        case when planned.edition is null then 2 else 1 end as choice
    from {{ ref('stg_threshold') }} as planned
    inner join editions
        on
            planned.measure = editions.measure
            and (planned.edition is null or planned.edition = editions.edition)
),

ranked as (
    select
        *,
        row_number() over (partition by measure, edition, grade order by choice, value) as candidate_rank
    from candidates
)

select
    measure,
    edition,
    grade,
    value,
    is_beyond,
    case when choice = 3 then 'built-in' else 'plan' end as decided_by
from ranked
where candidate_rank = 1
