-- Whether each subject is experiment or production by the plan's rules. Rules of equal priority that disagree decide
-- nothing: they are named instead.
with dimensions as (
    select
        subject_key,
        rules_as_of,
        'use_case' as field,
        '' as tag_key,
        use_case as field_value
    from {{ ref('int_subjects_attributed') }}
    where use_case is not null
    union all
    select
        subject_key,
        rules_as_of,
        'environment' as field,
        '' as tag_key,
        environment as field_value
    from {{ ref('int_subjects_attributed') }}
    where environment is not null
),

fields as (
    select * from {{ ref('int_subject_fields_unpivoted') }}
    union all
    select * from dimensions
),

rules as (
    select
        rule_id,
        priority,
        lifecycle,
        field,
        {{ tag_key('tag_key') }} as tag_key,
        operator,
        pattern,
        valid_from,
        valid_to
    from {{ ref('stg_lifecycle_rule') }}
),

candidates as (
    select
        fields.subject_key,
        fields.rules_as_of,
        rules.rule_id,
        rules.lifecycle,
        rank() over (partition by fields.subject_key, fields.rules_as_of order by rules.priority) as candidate_rank
    from fields
    inner join rules on {{ rule_matches('rules', 'fields') }}
),

deciding as (
    select
        subject_key,
        rules_as_of,
        min(case when lifecycle = 'experiment' then rule_id end) as experiment_rule,
        min(case when lifecycle = 'production' then rule_id end) as production_rule
    from candidates
    where candidate_rank = 1
    group by subject_key, rules_as_of
)

select
    subject_key,
    rules_as_of,
    case
        when experiment_rule is not null and production_rule is not null then 'unknown'
        when production_rule is not null then 'production'
        else 'experiment'
    end as lifecycle,
    case
        when experiment_rule is not null and production_rule is not null
            then concat(
                'contradiction:', least(experiment_rule, production_rule), ',',
                greatest(experiment_rule, production_rule)
            )
        else concat('rule:', coalesce(production_rule, experiment_rule))
    end as lifecycle_evidence
from deciding
