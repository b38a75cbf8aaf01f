-- Whether each subject is experiment or production, and temporary or persistent: the evidence of the first rank that
-- says anything decides, within the plan's rules that of the lowest priority. Where evidence of equal standing
-- disagrees nothing is decided: both sides are named instead. Subjects without any evidence have no row.
with ranked as (
    select
        *,
        rank() over (
            partition by subject_key, rules_as_of, question
            order by evidence_rank, priority
        ) as standing
    from {{ ref('int_lifecycle_evidence_gathered') }}
),

deciding as (
    select
        subject_key,
        rules_as_of,
        question,
        min(evidence_rank) as evidence_rank,
        min(case when answer in ('experiment', 'temporary') then evidence end) as passing,
        min(case when answer in ('production', 'persistent') then evidence end) as lasting
    from ranked
    where standing = 1
    group by subject_key, rules_as_of, question
),

named as (
    select
        subject_key,
        rules_as_of,
        question,
        passing is not null as is_passing,
        lasting is not null as is_lasting,
        case
            when passing is not null and lasting is not null
                then concat('contradiction:', least(passing, lasting), ',', greatest(passing, lasting))
            when evidence_rank = 1 then concat('rule:', coalesce(passing, lasting))
            else coalesce(passing, lasting)
        end as evidence
    from deciding
)

select
    subject_key,
    rules_as_of,
    max(
        case
            when question <> 'lifecycle' then null
            when is_passing and is_lasting then 'unknown'
            when is_passing then 'experiment'
            else 'production'
        end
    ) as lifecycle,
    max(case when question = 'lifecycle' then evidence end) as lifecycle_evidence,
    max(
        case
            when question <> 'persistence' then null
            when is_passing and is_lasting then 'unknown'
            when is_passing then 'temporary'
            else 'persistent'
        end
    ) as persistence,
    max(case when question = 'persistence' then evidence end) as persistence_evidence
from named
group by subject_key, rules_as_of
