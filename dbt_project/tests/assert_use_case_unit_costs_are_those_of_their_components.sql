-- What a use case's units cost together is the sum of the parts that serve them, on the row of each unit.
with units as (
    select distinct unit
    from {{ ref('fct_use_case_unit_cost') }}
),

signed as (
    select
        components.month,
        components.use_case,
        units.unit,
        components.billing_currency,
        components.effective_cost as amount
    from {{ ref('fct_inference_component_cost') }} as components
    cross join units
    where components.is_inference
    union all
    select
        month,
        use_case,
        unit,
        billing_currency,
        -effective_cost as amount
    from {{ ref('fct_use_case_unit_cost') }}
)

select
    month,
    use_case,
    unit,
    billing_currency,
    sum(amount) as left_over
from signed
group by month, use_case, unit, billing_currency
having sum(amount) <> 0
