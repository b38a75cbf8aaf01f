-- What the plan says for each use case in a month: assumptions, exchange rates and the thresholds of unit costs. Its
-- own value beats the general one, then the latest that had begun by the month's last day. One per pair of currencies
-- for exchange rates, which work both ways, one per currency for setup costs, which add up, and for thresholds, and one
-- per name otherwise. Every use case that rules or outcomes name has every month, also those before and after it lived,
-- so that what the plan says waits for no cost.
with use_cases as (
    select use_case
    from {{ ref('int_subjects_attributed') }}
    where use_case is not null
    union distinct
    select use_case
    from {{ ref('int_outcomes_summed') }}
    union distinct
    select 'unallocated' as use_case
),

months as (
    select {{ month_text('charge_date') }} as month
    from {{ ref('int_charges_summed') }}
    union distinct
    select month
    from {{ ref('int_outcomes_summed') }}
    union distinct
    select month
    from {{ ref('stg_organisation_cost') }}
),

spans as (
    select
        use_cases.use_case,
        months.month,
        {{ dbt.last_day("cast(concat(months.month, '-01') as date)", 'month') }} as last_day
    from use_cases
    cross join months
),

rates as (
    {{ exchange_rates() | indent(4) }}
),

stated as (
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

    union all

    select
        metric as name,
        use_case,
        threshold as value,
        currency,
        cast(null as string) as to_currency,
        currency as apart,
        true as is_stated,
        valid_from,
        cast(null as string) as evidence,
        x_source_row
    from {{ ref('stg_target') }}
),

candidates as (
    select
        spans.use_case,
        spans.month,
        stated.name,
        stated.value,
        stated.currency,
        stated.to_currency,
        stated.evidence,
        row_number() over (
            partition by spans.use_case, spans.month, stated.name, stated.to_currency, stated.apart
            order by
                case when stated.use_case is null then 2 else 1 end,
                coalesce(stated.valid_from, cast('1900-01-01' as date)) desc,
                case when stated.is_stated then 1 else 2 end,
                stated.x_source_row desc
        ) as candidate_rank
    from spans
    inner join stated
        on
            (stated.use_case is null or {{ name_key('spans.use_case') }} = {{ name_key('stated.use_case') }})
            and (stated.valid_from is null or spans.last_day >= stated.valid_from)
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
