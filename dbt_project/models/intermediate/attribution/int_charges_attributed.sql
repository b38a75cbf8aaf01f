-- Every summed charge with its own dimensions, lifecycle and persistence, each with its evidence, before any pool is
-- split. One row in, one row out.
select
    charges.*,
    months_closed.billing_month is not null as is_closed{% for dimension, nothing in dimensions().items() %},
    coalesce(attributed.{{ dimension }}, '{{ nothing }}') as {{ dimension }},
    coalesce(attributed.{{ dimension }}_evidence, 'none') as {{ dimension }}_evidence{% endfor %},
    coalesce(classified.lifecycle, 'unknown') as lifecycle,
    coalesce(classified.lifecycle_evidence, 'none') as lifecycle_evidence,
    case
        when classified.persistence is not null then classified.persistence
        when observed.billed_thing is not null then 'persistent'
        else 'unknown'
    end as persistence,
    case
        when classified.persistence is not null then classified.persistence_evidence
        when observed.billed_thing is not null then 'days billed'
        else 'none'
    end as persistence_evidence
from {{ ref('int_charges_summed') }} as charges
left join {{ ref('int_subjects_attributed') }} as attributed
    on charges.subject_key = attributed.subject_key and charges.rules_as_of = attributed.rules_as_of
left join {{ ref('int_subjects_classified') }} as classified
    on charges.subject_key = classified.subject_key and charges.rules_as_of = classified.rules_as_of
left join {{ ref('int_persistence_observed') }} as observed
    on
        {{ month_text('charges.charge_date') }} = observed.month
        and charges.billing_account_id = observed.billing_account_id
        and coalesce(charges.resource_id, charges.x_api_key_id) = observed.billed_thing
left join {{ ref('int_months_closed') }} as months_closed
    on
        charges.source_name = months_closed.source_name
        and charges.billing_account_id = months_closed.billing_account_id
        and charges.billing_month = months_closed.billing_month
