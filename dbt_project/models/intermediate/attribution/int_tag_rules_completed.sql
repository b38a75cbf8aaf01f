-- The plan's tag rules; after them the built-in ones, so that plainly tagged charges need no plan; and last the cost
-- centres of the plan's owners. Accounts give what is still missing between the second and the last.
with built_in as (
    {{ built_in_rules() }}
),

rules as (
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
        {{ tag_key('tag_key') }} as tag_key,
        'present' as operator,
        cast(null as string) as pattern,
        cast(null as string) as value,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to,
        case when field = 'tag' then concat('tag:', tag_key) else 'charge:x_model' end as evidence
    from built_in

    union all

    select
        'cost_center' as dimension,
        4 as rule_rank,
        case subject_kind when 'team' then 1 when 'use_case' then 2 else 3 end as priority,
        cast(null as string) as rule_id,
        subject_kind as field,
        '' as tag_key,
        'equals' as operator,
        subject as pattern,
        cost_center as value,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to,
        concat('owner:', subject_kind) as evidence
    from {{ ref('stg_owner') }}
    where subject_kind in ('team', 'use_case', 'product') and cost_center is not null
)

select
    *,
    {{ rule_order('rule_rank', 'priority', 'rule_id') }} as rule_order
from rules
