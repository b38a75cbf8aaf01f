-- Everything that says of a subject whether it is experiment or production, and whether it is temporary or persistent.
-- Evidence has a rank: 1 the plan's rules, 2 tags, 3 the environment, 4 the account's name, 5 names of resources and
-- keys, 6 the training run that the resource is, or that a tag names. What is called non-prod or pre-prod is not called
-- production.
{% set places = [
    {'question': 'lifecycle', 'rank': 2, 'prefix': "concat('tag:', tag_key, '=')",
     'where': "field = 'tag' and tag_key in ('lifecycle', 'stage')"},
    {'question': 'lifecycle', 'rank': 3, 'prefix': "'environment:'", 'where': "field = 'environment'"},
    {'question': 'lifecycle', 'rank': 4, 'prefix': "'account:'", 'where': "field = 'sub_account_id'"},
    {'question': 'lifecycle', 'rank': 5, 'prefix': "'name:'",
     'where': "field in ('resource_id', 'resource_name', 'api_key_id')"},
    {'question': 'persistence', 'rank': 2, 'prefix': "concat('tag:', tag_key, '=')",
     'where': "field = 'tag' and tag_key in ('persistence', 'lifetime')"},
    {'question': 'persistence', 'rank': 5, 'prefix': "'name:'", 'where': "field in ('resource_id', 'resource_name')"},
] %}
{% set present_tags = {
    'lifecycle': {'answer': 'experiment', 'keys': ['experiment', 'experimentid']},
    'persistence': {
        'answer': 'temporary', 'keys': ['ttl', 'expires', 'expireson', 'expiry', 'expiration', 'deleteafter'],
    },
} %}
{% set run_tags = ['runid', 'mlflowrunid', 'mlflow.runid'] %}
{% set telling_tags = ['lifecycle', 'stage', 'persistence', 'lifetime'] + present_tags['lifecycle']['keys']
    + present_tags['persistence']['keys'] %}

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
    select
        subject_key,
        rules_as_of,
        field,
        tag_key,
        field_value
    from {{ ref('int_subject_fields_unpivoted') }}
    union all
    select * from dimensions
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
    where
        field in ('environment', 'sub_account_id', 'resource_id', 'resource_name', 'api_key_id')
        or (field = 'tag' and tag_key in ('{{ telling_tags | join("', '") }}')) -- noqa: LT05
),

worded as (
    select
        texts.field,
        texts.tag_key,
        texts.field_value,
        concat_ws(' ', texts.field_value, accounts.sub_account_name) as words
    from texts
    left join {{ ref('int_accounts_named') }} as accounts
        on texts.field = 'sub_account_id' and texts.field_value = accounts.sub_account_id
),

telling as (
    select
        *,
        case
            when regexp_replace(lower(words), '(non|pre)[^a-z0-9]*prod', '') = lower(words)
                then {{ word_found('words', telling_words()['lifecycle']['production']) }}
        end as production_word,
        {{ word_found('words', telling_words()['lifecycle']['experiment']) }} as experiment_word,
        {{ word_found('words', telling_words()['persistence']['persistent']) }} as persistent_word,
        {{ word_found('words', telling_words()['persistence']['temporary']) }} as temporary_word
    from worded
),

run_marks as (
    select
        'resource_id' as field,
        '' as tag_key,
        resource_id as field_value,
        coalesce(experiment, run_id) as run
    from {{ ref('stg_training_run') }}
    where resource_id is not null
    {% for key in run_tags %}
    union distinct
    select
        'tag' as field,
        '{{ key }}' as tag_key,
        run_id as field_value,
        coalesce(experiment, run_id) as run
    from {{ ref('stg_training_run') }}
    {% endfor %}
),

told as (
    {% for place in places %}
    {% for answer in telling_words()[place['question']] %}
    select
        field,
        tag_key,
        field_value,
        '{{ place['question'] }}' as question,
        {{ place['rank'] }} as evidence_rank,
        '{{ answer }}' as answer,
        concat({{ place['prefix'] }}, {{ 'field_value' if place['rank'] == 3 else answer ~ '_word' }}) as evidence
    from telling
    where {{ place['where'] }} and {{ answer }}_word is not null
    union distinct
    {% endfor %}
    {% endfor %}
    {% for question, present in present_tags.items() %}
    select
        field,
        tag_key,
        field_value,
        '{{ question }}' as question,
        2 as evidence_rank,
        '{{ present['answer'] }}' as answer,
        concat('tag:', tag_key) as evidence
    from telling
    where
        field = 'tag'
        and tag_key in ('{{ present['keys'] | join("', '") }}') -- noqa: LT05
        and lower(field_value) not in ('false', 'no', 'none', 'never', '0')
    union distinct
    {% endfor %}
    {% for question, answer in {'lifecycle': 'experiment', 'persistence': 'temporary'}.items() %}
    select
        field,
        tag_key,
        field_value,
        '{{ question }}' as question,
        6 as evidence_rank,
        '{{ answer }}' as answer,
        concat('run:', run) as evidence
    from run_marks
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
)

{% for question in ['lifecycle', 'persistence'] %}
select
    subject_key,
    rules_as_of,
    '{{ question }}' as question,
    1 as evidence_rank,
    priority,
    {{ question }} as answer,
    rule_id as evidence
from told_by_rules
where {{ question }} is not null
union distinct
{% endfor %}
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
