-- A gate that is not in the mart would neither pass nor fail. A row of its own has a value and a verdict, or neither.
select
    gate,
    count(*) as gate_rows
from {{ ref('fct_gate') }}
group by gate
having
    sum(case when subject is null then 1 else 0 end) = 0
    or sum(case when subject is null and (value is null) <> (is_passed is null) then 1 else 0 end) > 0
