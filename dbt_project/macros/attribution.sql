{# What the plan's rules say of rows named `charges`, which have a subject_key, rules_as_of and what an observation is
   made by: their dimensions, lifecycle and persistence with the evidence, and whether their month is closed. #}
{% macro attributed_columns() -%}
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
{%- endmacro %}

{% macro attribution_joins() -%}
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
{%- endmacro %}

{# Whether two rows of costs are of one source: what reports by itself. #}
{% macro same_source(a, b) -%}
{{ a }}.source_name = {{ b }}.source_name
            and {{ a }}.service_provider_name = {{ b }}.service_provider_name
            and {{ a }}.billing_account_id = {{ b }}.billing_account_id
{%- endmacro %}
