-- Every dimension of each subject, with the evidence that decided it; null where nothing did.
select
    matched.subject_key,
    matched.rules_as_of{% for dimension in dimensions() %},
    decided.{{ dimension }},
    decided.{{ dimension }}_evidence{% endfor %}

from {{ ref('int_subject_rules_matched') }} as matched
inner join {{ ref('int_dimensions_decided') }} as decided
    on matched.combination_key = decided.combination_key and matched.rules_as_of = decided.rules_as_of
