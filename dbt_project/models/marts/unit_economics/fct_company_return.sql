-- What AI has brought the company up to the end of a month, beside what it cost, on two bases: the bills of the use
-- cases whose benefit is known, and all cost, with setup, people, use cases that brought nothing known and cost without
-- a use case. Both are there, because the first flatters, and the second blames use cases for what is nobody's.
with bases (basis) as (
    select *
    from (values ('bills'), ('all cost'))
),

parts as (
    select
        bases.basis,
        returns.month,
        returns.currency,
        returns.use_case,
        returns.months_unmeasured,
        returns.benefit,
        returns.bill_cost,
        case when bases.basis = 'all cost' then returns.setup_cost end as setup_cost,
        case when bases.basis = 'all cost' then returns.organisation_cost end as organisation_cost,
        case when bases.basis = 'all cost' then returns.cost else returns.bill_cost end as cost,
        bases.basis = 'all cost' and returns.cost is null as is_cost_unknown
    from {{ ref('fct_use_case_return') }} as returns
    cross join bases
    where bases.basis = 'all cost' or returns.benefit is not null
),

summed as (
    select
        basis,
        month,
        currency,
        count(benefit) as use_cases,
        sum(case when use_case <> 'unallocated' then months_unmeasured else 0 end) as months_unmeasured,
        sum(benefit) as benefit,
        sum(bill_cost) as bill_cost,
        sum(setup_cost) as setup_cost,
        sum(organisation_cost) as organisation_cost,
        case when max(case when is_cost_unknown then 1 else 0 end) = 0 then sum(cost) end as cost
    from parts
    group by basis, month, currency
),

lacking as (
    select
        month,
        currency,
        count(case when benefit is null and use_case <> 'unallocated' then 1 end) as use_cases_without_benefit,
        max(case when use_case = 'unallocated' then 1 else 0 end) = 1 as has_cost_without_use_case,
        count(setup_cost) > 0 as has_setup_cost,
        count(organisation_cost) > 0 as has_organisation_cost,
        max(case when cost is null then 1 else 0 end) = 1 as has_unknown_setup_cost
    from {{ ref('fct_use_case_return') }}
    group by month, currency
)

select
    summed.month,
    summed.currency,
    summed.basis,
    cast(summed.use_cases as bigint) as use_cases,
    cast(lacking.use_cases_without_benefit as bigint) as use_cases_without_benefit,
    cast(summed.months_unmeasured as bigint) as months_unmeasured,
    summed.benefit,
    summed.bill_cost,
    summed.setup_cost,
    summed.organisation_cost,
    summed.cost,
    {{ exact_difference('summed.benefit', 'summed.cost') }} as net,
    {{ ratio('summed.benefit - summed.cost', 'summed.cost') }} as roi,
    nullif(
        concat_ws(
            ', ',
            case
                when summed.basis = 'bills' and (lacking.has_setup_cost or lacking.has_unknown_setup_cost)
                    then 'setup'
            end,
            case when summed.basis = 'bills' and lacking.has_organisation_cost then 'people and organisation' end,
            case
                when summed.basis = 'bills' and lacking.use_cases_without_benefit > 0
                    then 'the cost of use cases without a known benefit'
            end,
            case
                when summed.basis = 'bills' and lacking.has_cost_without_use_case then 'cost without a use case'
            end,
            case
                when summed.basis = 'all cost' and lacking.has_unknown_setup_cost
                    then 'setup cost that no exchange rate converts'
            end,
            case
                when summed.basis = 'all cost' and lacking.use_cases_without_benefit > 0
                    then 'the benefit of use cases that reported none'
            end,
            case when summed.months_unmeasured > 0 then 'the benefit of unmeasured months' end
        ), ''
    ) as left_out
from summed
inner join lacking on summed.month = lacking.month and summed.currency = lacking.currency
