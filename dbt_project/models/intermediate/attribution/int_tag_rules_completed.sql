-- The plan's tag rules, and after them the built-in ones, so that plainly tagged charges need no plan.
with built_in (dimension, rank_among_built_in, field, tag_key) as (
    select *
    from (
        values
        ('team', 1, 'tag', 'team'),
        ('product', 1, 'tag', 'product'),
        ('use_case', 1, 'tag', 'use_case'),
        ('use_case', 2, 'tag', 'use-case'),
        ('use_case', 3, 'tag', 'usecase'),
        ('model', 1, 'x_model', ''),
        ('model', 2, 'tag', 'model'),
        ('environment', 1, 'tag', 'environment'),
        ('environment', 2, 'tag', 'env')
    )
)

select
    dimension,
    1 as rule_rank,
    priority,
    rule_id,
    field,
    {{ tag_key('tag_key') }} as tag_key,
    operator,
    pattern,
    value,
    valid_from,
    valid_to,
    concat('rule:', rule_id) as evidence
from {{ ref('stg_tag_rule') }}

union all

select
    dimension,
    2 as rule_rank,
    rank_among_built_in as priority,
    cast(null as string) as rule_id,
    field,
    tag_key,
    'present' as operator,
    cast(null as string) as pattern,
    cast(null as string) as value,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to,
    case when field = 'tag' then concat('tag:', tag_key) else 'charge:x_model' end as evidence
from built_in
