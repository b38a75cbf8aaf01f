-- Every summed charge with its own dimensions, lifecycle and persistence, each with its evidence, before any pool is
-- split. One row in, one row out.
select
    charges.*,
    coalesce(attributed.model, 'unknown') as model,
    coalesce(attributed.model_evidence, 'none') as model_evidence,
    coalesce(attributed.environment, 'unknown') as environment,
    coalesce(attributed.environment_evidence, 'none') as environment_evidence,
    coalesce(attributed.project, 'unallocated') as project,
    coalesce(attributed.project_evidence, 'none') as project_evidence,
    coalesce(attributed.application, 'unallocated') as application,
    coalesce(attributed.application_evidence, 'none') as application_evidence,
    coalesce(attributed.use_case, 'unallocated') as use_case,
    coalesce(attributed.use_case_evidence, 'none') as use_case_evidence,
    coalesce(attributed.product, 'unallocated') as product,
    coalesce(attributed.product_evidence, 'none') as product_evidence,
    coalesce(attributed.team, 'unallocated') as team,
    coalesce(attributed.team_evidence, 'none') as team_evidence,
    coalesce(attributed.cost_center, 'unallocated') as cost_center,
    coalesce(attributed.cost_center_evidence, 'none') as cost_center_evidence,
    coalesce(attributed.business_unit, 'unallocated') as business_unit,
    coalesce(attributed.business_unit_evidence, 'none') as business_unit_evidence,
    coalesce(classified.lifecycle, 'unknown') as lifecycle,
    coalesce(classified.lifecycle_evidence, 'none') as lifecycle_evidence,
    case
        when classified.persistence is not null then classified.persistence
        when charges.is_billed_persistently then 'persistent'
        else 'unknown'
    end as persistence,
    case
        when classified.persistence is not null then classified.persistence_evidence
        when charges.is_billed_persistently then 'days billed'
        else 'none'
    end as persistence_evidence
from {{ ref('int_charges_summed') }} as charges
left join {{ ref('int_subjects_attributed') }} as attributed
    on charges.subject_key = attributed.subject_key and charges.rules_as_of = attributed.rules_as_of
left join {{ ref('int_subjects_classified') }} as classified
    on charges.subject_key = classified.subject_key and charges.rules_as_of = classified.rules_as_of
