-- Which subjects belong to which planned experiment: those of its use case, those with its tag, or, where the plan
-- names both, those with both.
select
    experiments.experiment,
    attributed.subject_key,
    attributed.rules_as_of
from {{ ref('stg_experiment') }} as experiments
inner join {{ ref('int_subjects_attributed') }} as attributed
    on experiments.use_case = attributed.use_case
where experiments.tag_key is null

union distinct

select
    experiments.experiment,
    fields.subject_key,
    fields.rules_as_of
from {{ ref('stg_experiment') }} as experiments
inner join {{ ref('int_subject_fields_unpivoted') }} as fields
    on
        fields.field = 'tag'
        and {{ tag_key('experiments.tag_key') }} = fields.tag_key
        and (experiments.tag_value is null or {{ name_key('experiments.tag_value') }} = {{ name_key('fields.field_value') }})
left join {{ ref('int_subjects_attributed') }} as attributed
    on fields.subject_key = attributed.subject_key and fields.rules_as_of = attributed.rules_as_of
where experiments.use_case is null or experiments.use_case = attributed.use_case
