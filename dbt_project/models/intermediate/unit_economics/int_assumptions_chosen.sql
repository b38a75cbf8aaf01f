-- The assumption of each name that holds for a use case in a month: its own beats the general one, then the latest that
-- had begun by the month's last day. One per pair of currencies for exchange rates, which work both ways, one per
-- currency for setup costs, which add up, and one per name otherwise. From a use case's first month on there is every
-- month, also those in which it neither cost nor brought anything.
with lived as (
    select
        use_case,
        month
    from {{ ref('int_use_case_costs_summed') }}
    union distinct
    select
        use_case,
        month
    from {{ ref('int_outcomes_summed') }}
),

use_cases as (
    select
        use_case,
        min(month) as first_month
    from lived
    group by use_case
),

months as (
    select distinct month
    from lived
),

spans as (
    select
        use_cases.use_case,
        months.month,
        {{ dbt.last_day("cast(concat(months.month, '-01') as date)", 'month') }} as last_day
    from use_cases
    inner join months on use_cases.first_month <= months.month
),

rates as (
    {{ exchange_rates() | indent(4) }}
),

assumptions as (
    select
        name,
        use_case,
        value,
        currency,
        to_currency,
        case when name = 'setup_cost' then currency end as apart,
        true as is_stated,
        valid_from,
        evidence,
        x_source_row
    from {{ ref('stg_assumption') }}
    where name <> 'exchange_rate' and (name <> 'setup_cost' or use_case is not null)

    union all

    select
        'exchange_rate' as name,
        use_case,
        rate as value,
        from_currency as currency,
        to_currency,
        from_currency as apart,
        is_stated,
        valid_from,
        evidence,
        x_source_row
    from rates
),

candidates as (
    select
        spans.use_case,
        spans.month,
        assumptions.name,
        assumptions.value,
        assumptions.currency,
        assumptions.to_currency,
        assumptions.evidence,
        row_number() over (
            partition by
                spans.use_case, spans.month, assumptions.name, assumptions.to_currency, assumptions.apart
            order by
                case when assumptions.use_case is null then 2 else 1 end,
                coalesce(assumptions.valid_from, cast('1900-01-01' as date)) desc,
                case when assumptions.is_stated then 1 else 2 end,
                assumptions.x_source_row desc
        ) as candidate_rank
    from spans
    inner join assumptions
        on
            (
                assumptions.use_case is null
                or {{ name_key('spans.use_case') }} = {{ name_key('assumptions.use_case') }}
            )
            and (assumptions.valid_from is null or spans.last_day >= assumptions.valid_from)
)

select
    use_case,
    month,
    name,
    value,
    currency,
    to_currency,
    evidence
from candidates
where candidate_rank = 1
