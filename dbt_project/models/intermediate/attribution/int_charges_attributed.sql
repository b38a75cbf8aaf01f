-- Every summed charge with its own dimensions and lifecycle, each with its evidence, before any pool is split.
-- One row in, one row out.
select
    charges.*,
    months_closed.billing_month is not null as is_closed{% for dimension, nothing in dimensions().items() %},
    coalesce(attributed.{{ dimension }}, '{{ nothing }}') as {{ dimension }},
    coalesce(attributed.{{ dimension }}_evidence, 'none') as {{ dimension }}_evidence{% endfor %},
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
left join {{ ref('int_months_closed') }} as months_closed
    on
        charges.source_name = months_closed.source_name
        and charges.billing_account_id = months_closed.billing_account_id
        and charges.billing_month = months_closed.billing_month
