-- Who owns what each day cost: a team's own charges, its shares of shared pools, and what is nobody's yet.
-- Every charge is in here exactly once, so that the total per currency is the bill's; what is estimated stands apart.
{% set grain = (
    cost_columns()
    | reject('in', ['is_closed', 'lifecycle', 'lifecycle_evidence', 'persistence', 'persistence_evidence']) | list
) + allocation_columns() %}

select
    {{ grain | join(',\n    ') }},
    {% for amount in split_amounts() %}sum({{ amount }}) as {{ amount }},
    {% endfor -%}
    cast(sum(charge_count) as bigint) as charge_count
from {{ ref('int_costs_allocated') }}
group by {{ grain | join(', ') }}
