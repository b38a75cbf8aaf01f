-- The assumption of each name that holds for a use case in a month: its own beats the general one, then the latest that
-- had begun by the month's last day. One per pair of currencies for exchange rates, one per name otherwise.
with candidates as (
    select
        outcomes.use_case,
        outcomes.month,
        assumptions.name,
        assumptions.value,
        assumptions.currency,
        assumptions.to_currency,
        row_number() over (
            partition by
                outcomes.use_case, outcomes.month, assumptions.name, assumptions.to_currency,
                case when assumptions.name = 'exchange_rate' then assumptions.currency end
            order by
                case when assumptions.use_case is null then 2 else 1 end,
                coalesce(assumptions.valid_from, cast('1900-01-01' as date)) desc,
                assumptions.x_source_row desc
        ) as candidate_rank
    from {{ ref('int_outcomes_summed') }} as outcomes
    inner join {{ ref('stg_assumption') }} as assumptions
        on
            (assumptions.use_case is null or outcomes.use_case = assumptions.use_case)
            and (assumptions.valid_from is null or outcomes.last_day >= assumptions.valid_from)
)

select
    use_case,
    month,
    name,
    value,
    currency,
    to_currency
from candidates
where candidate_rank = 1
