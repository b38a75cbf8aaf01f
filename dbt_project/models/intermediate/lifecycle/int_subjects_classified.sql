-- Whether each subject is experiment or production, and temporary or persistent, by everything that says so. Evidence
-- has a rank: 1 the plan's rules, 2 tags, 3 the environment, 4 the account's name, 5 names of resources and keys, 6 the
-- training run that the resource is, or that a tag names. What is called non-prod or pre-prod is not called production.
-- The first rank that says anything decides, within the plan's rules the lowest priority. Where evidence of equal
-- standing disagrees nothing is decided: both sides are named instead. Subjects without any evidence have no row.
with fields as (
    select
        subject_key,
        rules_as_of,
        field,
        tag_key,
        field_value
    from {{ ref('int_subject_fields_unpivoted') }}
    union all
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

rules as (
    select
        rule_id,
        priority,
        lifecycle,
        persistence,
        field,
        {{ tag_key('tag_key') }} as tag_key,
        operator,
        pattern,
        valid_from,
        valid_to
    from {{ ref('stg_lifecycle_rule') }}
),

told_by_rules as (
    select
        fields.subject_key,
        fields.rules_as_of,
        rules.rule_id,
        rules.priority,
        rules.lifecycle,
        rules.persistence
    from fields
    inner join rules on {{ rule_matches('rules', 'fields') }}
),

-- Texts are read once each, however many subjects have them.
texts as (
    select distinct
        field,
        tag_key,
        field_value
    from fields
),

places (question, evidence_rank, field, tag_key) as (
    select *
    from (
        values
        ('lifecycle', 2, 'tag', 'lifecycle'),
        ('lifecycle', 2, 'tag', 'stage'),
        ('lifecycle', 3, 'environment', ''),
        ('lifecycle', 4, 'sub_account_id', ''),
        ('lifecycle', 5, 'resource_id', ''),
        ('lifecycle', 5, 'resource_name', ''),
        ('lifecycle', 5, 'api_key_id', ''),
        ('persistence', 2, 'tag', 'persistence'),
        ('persistence', 2, 'tag', 'lifetime'),
        ('persistence', 5, 'resource_id', ''),
        ('persistence', 5, 'resource_name', '')
    )
),

account_names as (
    select distinct
        sub_account_id,
        sub_account_name
    from {{ ref('int_charges_by_day') }}
    where sub_account_id is not null and sub_account_name is not null
),

worded as (
    select
        texts.field,
        texts.tag_key,
        texts.field_value,
        places.question,
        places.evidence_rank,
        case texts.field
            when 'tag' then concat('tag:', texts.tag_key, '=')
            when 'environment' then 'environment:'
            when 'sub_account_id' then 'account:'
            else 'name:'
        end as place,
        concat_ws(' ', texts.field_value, account_names.sub_account_name) as words
    from texts
    inner join places on texts.field = places.field and texts.tag_key = places.tag_key
    left join account_names on texts.field = 'sub_account_id' and texts.field_value = account_names.sub_account_id
),

telling as (
    select
        *,
        case
            when regexp_replace(lower(words), '(non|pre)[^a-z0-9]*prod', '') = lower(words)
                then {{ word_found('words', ['prod', 'production', 'live']) }}
        end as production_word,
        {{ word_found('words', [
            'dev', 'development', 'sandbox', 'experiment', 'experimental', 'research', 'test', 'pilot', 'poc',
            'prototype', 'lab', 'trial',
        ]) }} as experiment_word,
        {{ word_found('words', ['persistent', 'permanent']) }} as persistent_word,
        {{ word_found('words', ['temporary', 'temp', 'tmp', 'ephemeral', 'scratch']) }} as temporary_word
    from worded
),

answers (question, answer) as (
    select *
    from (
        values
        ('lifecycle', 'production'),
        ('lifecycle', 'experiment'),
        ('persistence', 'persistent'),
        ('persistence', 'temporary')
    )
),

answered as (
    select
        telling.*,
        answers.answer,
        case answers.answer
            when 'production' then telling.production_word
            when 'experiment' then telling.experiment_word
            when 'persistent' then telling.persistent_word
            when 'temporary' then telling.temporary_word
        end as word
    from telling
    inner join answers on telling.question = answers.question
),

-- Tags that tell by being there.
telling_tags (tag_key, question, answer) as (
    select *
    from (
        values
        ('experiment', 'lifecycle', 'experiment'),
        ('experimentid', 'lifecycle', 'experiment'),
        ('ttl', 'persistence', 'temporary'),
        ('expires', 'persistence', 'temporary'),
        ('expireson', 'persistence', 'temporary'),
        ('expiry', 'persistence', 'temporary'),
        ('expiration', 'persistence', 'temporary'),
        ('deleteafter', 'persistence', 'temporary')
    )
),

run_tags (tag_key) as (
    select *
    from (values ('runid'), ('mlflowrunid'), ('mlflow.runid'))
),

run_marks as (
    select
        'resource_id' as field,
        '' as tag_key,
        resource_id as field_value,
        coalesce(experiment, run_id) as run
    from {{ ref('stg_training_run') }}
    where resource_id is not null
    union distinct
    select
        'tag' as field,
        run_tags.tag_key,
        runs.run_id as field_value,
        coalesce(runs.experiment, runs.run_id) as run
    from {{ ref('stg_training_run') }} as runs
    cross join run_tags
),

told as (
    select
        field,
        tag_key,
        field_value,
        question,
        evidence_rank,
        answer,
        concat(place, case when field = 'environment' then field_value else word end) as evidence
    from answered
    where word is not null
    union distinct
    select
        texts.field,
        texts.tag_key,
        texts.field_value,
        telling_tags.question,
        2 as evidence_rank,
        telling_tags.answer,
        concat('tag:', texts.tag_key) as evidence
    from texts
    inner join telling_tags on texts.field = 'tag' and texts.tag_key = telling_tags.tag_key
    where lower(texts.field_value) not in ('false', 'no', 'none', 'never', '0')
    union distinct
    select
        run_marks.field,
        run_marks.tag_key,
        run_marks.field_value,
        answers.question,
        6 as evidence_rank,
        answers.answer,
        concat('run:', run_marks.run) as evidence
    from run_marks
    inner join answers on answers.answer in ('experiment', 'temporary')
),

evidence as (
    select
        subject_key,
        rules_as_of,
        'lifecycle' as question,
        1 as evidence_rank,
        priority,
        lifecycle as answer,
        rule_id as evidence
    from told_by_rules
    where lifecycle is not null
    union distinct
    select
        subject_key,
        rules_as_of,
        'persistence' as question,
        1 as evidence_rank,
        priority,
        persistence as answer,
        rule_id as evidence
    from told_by_rules
    where persistence is not null
    union distinct
    select
        fields.subject_key,
        fields.rules_as_of,
        told.question,
        told.evidence_rank,
        cast(0 as bigint) as priority,
        told.answer,
        told.evidence
    from fields
    inner join told
        on
            fields.field = told.field
            and fields.tag_key = told.tag_key
            and fields.field_value = told.field_value
),

ranked as (
    select
        *,
        rank() over (
            partition by subject_key, rules_as_of, question
            order by evidence_rank, priority
        ) as standing
    from evidence
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
