-- The lines that hold: per measure, edition and grade the plan's own for that edition, else the plan's for every
-- edition, else the built-in one. Those of edition 2023 are the FinOps Foundation's; 2026 is a second-hand summary of
-- its maturity page. `is_beyond` says that the line itself is not enough, `source` on what the line rests: some are but
-- an example on a page of the Foundation.
with built_in (measure, edition, grade, value, is_beyond, source) as (
    select *
    from (
        values
        ('spend_allocated', '2023', 'crawl', 0.50, false, 'FinOps Foundation, maturity model'),
        ('spend_allocated', '2023', 'walk', 0.80, false, 'FinOps Foundation, maturity model'),
        ('spend_allocated', '2023', 'run', 0.90, true, 'FinOps Foundation, maturity model'),
        ('spend_allocated', '2026', 'crawl', 0.70, false, 'second-hand summary of the 2026 maturity page'),
        ('spend_allocated', '2026', 'walk', 0.85, false, 'second-hand summary of the 2026 maturity page'),
        ('spend_allocated', '2026', 'run', 0.90, true, 'second-hand summary of the 2026 maturity page'),
        ('tag_compliance', '2023', 'run', 0.90, false, 'FinOps Foundation, capability Analysis & Showback'),
        ('forecast_accuracy', '2023', 'crawl', 0.20, false, 'FinOps Foundation, maturity model'),
        ('forecast_accuracy', '2023', 'walk', 0.15, false, 'FinOps Foundation, maturity model'),
        ('forecast_accuracy', '2023', 'run', 0.12, false, 'FinOps Foundation, maturity model'),
        ('forecast_accuracy', '2026', 'crawl', 0.20, true, 'second-hand summary of the 2026 maturity page'),
        ('forecast_accuracy', '2026', 'walk', 0.10, true, 'second-hand summary of the 2026 maturity page'),
        ('forecast_accuracy', '2026', 'run', 0.05, true, 'second-hand summary of the 2026 maturity page'),
        ('budget_variance', '2023', 'crawl', 0.20, false, 'FinOps Foundation, capability Budgeting'),
        ('budget_variance', '2023', 'walk', 0.15, false, 'FinOps Foundation, capability Budgeting'),
        ('budget_variance', '2023', 'run', 0.12, false, 'FinOps Foundation, capability Budgeting'),
        ('commitment_coverage', '2023', 'crawl', 0.60, false, 'FinOps Foundation, maturity model'),
        ('commitment_coverage', '2023', 'walk', 0.70, false, 'FinOps Foundation, maturity model'),
        ('commitment_coverage', '2023', 'run', 0.80, false, 'FinOps Foundation, maturity model'),
        ('commitment_coverage', '2026', 'crawl', 0.60, false, 'second-hand summary of the 2026 maturity page'),
        ('commitment_coverage', '2026', 'walk', 0.75, true, 'second-hand summary of the 2026 maturity page'),
        ('commitment_coverage', '2026', 'run', 0.80, true, 'second-hand summary of the 2026 maturity page'),
        ('commitment_utilization', '2023', 'run', 0.80, false, 'FinOps Foundation, capability Commitment Discounts'),
        (
            'experiment_to_production', '2023', 'limit', 0.30, false,
            'crowd-sourced example, capability Workload Management: no standard'
        ),
        (
            'idle_resource_share', '2023', 'run', 0.03, false,
            'placeholder example, capability Asset Management: no standard'
        ),
        ('cost_visibility_delay', '2023', 'crawl', 31.0, false, 'FinOps Foundation, KPI library'),
        ('cost_visibility_delay', '2023', 'run', 2.0, false, 'FinOps Foundation, KPI library'),
        ('orphaned_experiment_days', 'setting', 'limit', 30.0, false, 'shipped default'),
        ('persistent_days', 'setting', 'limit', 14.0, false, 'shipped default'),
        ('idle_gpu_utilization', 'setting', 'limit', 0.05, false, 'shipped default')
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
        source,
        3 as choice
    from built_in
    union all
    select
        editions.measure,
        editions.edition,
        planned.grade,
        planned.value,
        false as is_beyond,
        coalesce(planned.evidence, 'plan') as source,
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
    source,
    case when choice = 3 then 'built-in' else 'plan' end as decided_by
from ranked
where candidate_rank = 1
