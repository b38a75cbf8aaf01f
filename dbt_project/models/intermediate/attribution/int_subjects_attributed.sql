-- Team, product, use case, model and environment of each subject: per dimension the rule of lowest priority decides.
with candidates as (
    select
        fields.subject_key,
        fields.rules_as_of,
        rules.dimension,
        rules.evidence,
        coalesce(rules.value, lower(fields.field_value)) as dimension_value,
        row_number() over (
            partition by fields.subject_key, fields.rules_as_of, rules.dimension
            order by rules.rule_rank, rules.priority, rules.rule_id, fields.field_value
        ) as candidate_rank
    from {{ ref('int_subject_fields_unpivoted') }} as fields
    inner join {{ ref('int_tag_rules_completed') }} as rules on {{ rule_matches('rules', 'fields') }}
)

select
    subject_key,
    rules_as_of,
    max(case when dimension = 'team' then dimension_value end) as team,
    max(case when dimension = 'team' then evidence end) as team_evidence,
    max(case when dimension = 'product' then dimension_value end) as product,
    max(case when dimension = 'use_case' then dimension_value end) as use_case,
    max(case when dimension = 'model' then dimension_value end) as model,
    max(case when dimension = 'environment' then dimension_value end) as environment
from candidates
where candidate_rank = 1
group by subject_key, rules_as_of
