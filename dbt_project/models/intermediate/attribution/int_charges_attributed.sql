-- Every summed charge with its own team, product, use case, model, environment and lifecycle, before any pool is
-- split. One row in, one row out.
select
    charges.*,
    coalesce(attributed.team, 'unallocated') as team,
    coalesce(attributed.team_evidence, 'none') as team_evidence,
    coalesce(attributed.product, 'unallocated') as product,
    coalesce(attributed.use_case, 'unallocated') as use_case,
    coalesce(attributed.model, 'unknown') as model,
    coalesce(attributed.environment, 'unknown') as environment,
    case
        when classified.lifecycle is not null then classified.lifecycle
        when lower(attributed.environment) in ('prod', 'production') then 'production'
        when lower(attributed.environment) in ('dev', 'sandbox', 'experiment', 'research', 'test') then 'experiment'
        else 'unknown'
    end as lifecycle,
    case
        when classified.lifecycle is not null then classified.lifecycle_evidence
        when
            lower(attributed.environment) in (
                'prod', 'production', 'dev', 'sandbox', 'experiment', 'research', 'test'
            )
            then concat('environment:', attributed.environment)
        else 'none'
    end as lifecycle_evidence
from {{ ref('int_charges_summed') }} as charges
left join {{ ref('int_subjects_attributed') }} as attributed
    on charges.subject_key = attributed.subject_key and charges.rules_as_of = attributed.rules_as_of
left join {{ ref('int_subjects_classified') }} as classified
    on charges.subject_key = classified.subject_key and charges.rules_as_of = classified.rules_as_of
