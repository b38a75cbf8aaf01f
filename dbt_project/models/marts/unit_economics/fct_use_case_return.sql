-- What each use case has brought from its first month up to the end of a month, beside all that it cost by then: the
-- bills of measured and of unmeasured months, its setup, and its part of what its team costs beside the bills. Only
-- measured months bring a benefit, so that what nobody reported flatters no return.
-- Net present value: setup is paid at the start of the first month, each month's net comes at its end, and a month
-- discounts by (1 + discount_rate)^(1/12). Paid back: the month from which the undiscounted net, setup included, stays
-- at 0 or above.
with months as (
    select
        use_case,
        currency,
        month,
        is_measured,
        unmeasured_reason,
        effective_cost,
        shared_cost,
        organisation_cost,
        case when is_measured then benefit end as benefit,
        {{ exact_difference(
            'case when is_measured then benefit else 0 end',
            exact_sum('coalesce(effective_cost, 0)', 'coalesce(organisation_cost, 0)')
        ) }} as net
    from {{ ref('fct_use_case_value') }}
    where currency is not null
),

balances as (
    select
        *,
        min(month) over (partition by use_case, currency) as first_month,
        sum(net) over (partition by use_case, currency order by month) as balance
    from months
),

lives as (
    select distinct
        use_case,
        currency,
        first_month
    from balances
),

ends as (
    select distinct month
    from {{ ref('fct_use_case_value') }}
),

spans as (
    select
        lives.use_case,
        lives.currency,
        lives.first_month,
        ends.month
    from lives
    inner join ends on lives.first_month <= ends.month
),

-- Where a use case costs in a second currency that no rate turns into its own, setup is of its own.
counted as (
    select
        spans.use_case,
        spans.currency,
        spans.month,
        row_number() over (
            partition by spans.use_case, spans.month
            order by count(months.benefit) desc, count(months.month) desc, spans.currency
        ) = 1 as is_own_currency
    from spans
    inner join months
        on spans.use_case = months.use_case and spans.currency = months.currency and spans.month >= months.month
    group by spans.use_case, spans.currency, spans.month
),

setup as (
    select
        counted.use_case,
        counted.currency,
        counted.month,
        count(*) as stated,
        count(case when costs.currency = counted.currency or rates.value is not null then 1 end) as known,
        sum(
            case
                when costs.currency = counted.currency then costs.value
                else {{ exact_product('costs.value', 'rates.value') }}
            end
        ) as cost
    from counted
    inner join {{ ref('int_plan_values_chosen') }} as costs
        on counted.use_case = costs.use_case and counted.month = costs.month and costs.name = 'setup_cost'
    left join {{ ref('int_plan_values_chosen') }} as rates
        on
            counted.use_case = rates.use_case
            and counted.month = rates.month
            and rates.name = 'exchange_rate'
            and costs.currency = rates.currency
            and counted.currency = rates.to_currency
    where counted.is_own_currency
    group by counted.use_case, counted.currency, counted.month
),

assumed as (
    select
        spans.*,
        setup.stated as setup_costs_stated,
        case when setup.stated = setup.known then setup.cost end as setup_cost,
        coalesce(setup.stated > setup.known, false) as is_setup_unknown,
        cast(discount.value as double) as discount_rate,
        discount.evidence as discount_rate_evidence
    from spans
    left join setup
        on spans.use_case = setup.use_case and spans.currency = setup.currency and spans.month = setup.month
    left join {{ ref('int_plan_values_chosen') }} as discount
        on spans.use_case = discount.use_case and spans.month = discount.month and discount.name = 'discount_rate'
),

summed as (
    select
        assumed.use_case,
        assumed.currency,
        assumed.month,
        assumed.first_month,
        assumed.setup_cost,
        assumed.is_setup_unknown,
        assumed.discount_rate,
        assumed.discount_rate_evidence,
        count(case when balances.is_measured then 1 end) as months_measured,
        count(case when not balances.is_measured then 1 end) as months_unmeasured,
        min(balances.unmeasured_reason) as first_reason,
        max(balances.unmeasured_reason) as last_reason,
        sum(case when balances.is_measured then balances.effective_cost end) as cost_measured,
        sum(case when not balances.is_measured then balances.effective_cost end) as cost_unmeasured,
        sum(balances.effective_cost) as bill_cost,
        sum(balances.shared_cost) as shared_cost,
        sum(balances.organisation_cost) as organisation_cost,
        sum(balances.benefit) as benefit,
        max(case when balances.balance < coalesce(assumed.setup_cost, 0) then balances.month end) as last_month_below,
        sum(
            cast(balances.net as double) / power(
                1 + assumed.discount_rate,
                (
                    {{ month_number("cast(concat(balances.month, '-01') as date)") }}
                    - {{ month_number("cast(concat(assumed.first_month, '-01') as date)") }} + 1
                ) / cast(12 as double)
            )
        ) as present_value
    from assumed
    inner join balances
        on
            assumed.use_case = balances.use_case
            and assumed.currency = balances.currency
            and assumed.month >= balances.month
    group by
        assumed.use_case, assumed.currency, assumed.month, assumed.first_month, assumed.setup_cost,
        assumed.is_setup_unknown, assumed.discount_rate, assumed.discount_rate_evidence
),

totals as (
    select
        *,
        case
            when not is_setup_unknown then
                {{ exact_sum(
                    exact_sum('coalesce(bill_cost, 0)', 'coalesce(setup_cost, 0)'), 'coalesce(organisation_cost, 0)'
                ) }}
        end as cost
    from summed
),

paid_back as (
    select
        totals.use_case,
        totals.currency,
        totals.month,
        min(months.month) as payback_month
    from totals
    inner join months
        on
            totals.use_case = months.use_case
            and totals.currency = months.currency
            and totals.month >= months.month
            and months.month > coalesce(totals.last_month_below, '')
    group by totals.use_case, totals.currency, totals.month
)

select
    totals.use_case,
    totals.currency,
    totals.month,
    totals.first_month,
    cast(totals.months_measured as bigint) as months_measured,
    cast(totals.months_unmeasured as bigint) as months_unmeasured,
    totals.cost_measured,
    totals.cost_unmeasured,
    totals.shared_cost,
    totals.bill_cost,
    totals.setup_cost,
    totals.organisation_cost,
    totals.cost,
    totals.benefit,
    {{ exact_difference('totals.benefit', 'totals.bill_cost') }} as net_of_bills,
    {{ ratio('totals.benefit - totals.bill_cost', 'totals.bill_cost') }} as roi_of_bills,
    {{ exact_difference('totals.benefit', 'totals.cost') }} as net,
    {{ ratio('totals.benefit - totals.cost', 'totals.cost') }} as roi,
    case
        when totals.benefit is not null and not totals.is_setup_unknown
            then round(totals.present_value - cast(coalesce(totals.setup_cost, 0) as double), 6)
    end as npv,
    case
        when totals.benefit is not null and not totals.is_setup_unknown then paid_back.payback_month
    end as payback_month,
    totals.discount_rate,
    totals.discount_rate_evidence,
    nullif(
        concat_ws(
            '; ',
            case
                when totals.months_unmeasured > 0
                    then concat(
                        cast(totals.months_unmeasured as string), ' of ',
                        cast(totals.months_measured + totals.months_unmeasured as string),
                        ' months unmeasured, cost counted: ', totals.first_reason,
                        case when totals.first_reason <> totals.last_reason then ', among others' else '' end
                    )
            end,
            case
                when totals.is_setup_unknown then 'setup cost unknown: no exchange rate from its currency'
                when totals.setup_cost is null then 'the plan states no setup cost'
            end,
            case when totals.organisation_cost is null then 'the plan states no people or organisation cost' end,
            case when totals.discount_rate is null then 'the plan states no discount rate' end
        ), ''
    ) as not_counted
from totals
left join paid_back
    on
        totals.use_case = paid_back.use_case
        and totals.currency = paid_back.currency
        and totals.month = paid_back.month
