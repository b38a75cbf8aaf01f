-- The thresholds that figures are held against: per measure, edition and grade the plan's own for that edition, else
-- the plan's for every edition, else the shipped default. Every threshold, target and limit that SQL, gates, charts and
-- reports speak of is a row of it. `is_beyond` says that the threshold itself is not enough.
with defaults as (
    select
        measure,
        edition,
        grade,
        value,
        is_beyond,
        source
    from {{ ref('threshold_default') }}
),

measures as (
    select
        measure,
        max(unit) as unit,
        max(meaning) as meaning
    from {{ ref('threshold_default') }}
    group by measure
    union all
    select
        kpi as measure,
        unit,
        cast(null as string) as meaning
    from {{ ref('kpis') }}
    where kpi not in (select defaults.measure from defaults)
),

editions as (
    select
        measure,
        edition
    from defaults
    union distinct
    select
        planned.measure,
        coalesce(planned.edition, 'plan') as edition
    from {{ ref('stg_threshold') }} as planned
    where planned.edition is not null or planned.measure not in (select defaults.measure from defaults)
),

candidates as (
    select
        measure,
        edition,
        grade,
        value,
        is_beyond,
        cast(null as string) as owner,
        source,
        3 as choice
    from defaults
    union all
    select
        editions.measure,
        editions.edition,
        planned.grade,
        planned.value,
        false as is_beyond,
        planned.owner,
        coalesce(planned.evidence, 'plan/threshold.csv') as source,
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
    ranked.measure,
    ranked.edition,
    ranked.grade,
    ranked.value,
    ranked.is_beyond,
    case when ranked.choice = 3 then 'default' else 'plan' end as decided_by,
    measures.unit,
    measures.meaning,
    ranked.owner,
    ranked.source
from ranked
left join measures on ranked.measure = measures.measure
where ranked.candidate_rank = 1
