-- What each use case brought in a month beside what it cost, in every month in which it did either. Amounts are in the
-- currency of its outcomes, else of the assumption that values them, else the reporting one. A cost that no exchange
-- rate turns into that currency keeps a row of its own. A month is measured where both its benefit and the whole of its
-- cost are known; the others say what is missing, and their cost stays.
with assumed as (
    select
        use_case,
        month,
        max(case when name = 'hourly_rate' then value end) as hourly_rate,
        max(case when name = 'hourly_rate' then currency end) as hourly_currency,
        max(case when name = 'value_per_unit' then value end) as value_per_unit,
        max(case when name = 'value_per_unit' then currency end) as unit_currency,
        max(case when name = 'margin' then value end) as margin,
        max(case when name = 'attribution' then value end) as attribution,
        max(case when name = 'reporting_currency' then currency end) as reporting_currency
    from {{ ref('int_plan_values_chosen') }}
    group by use_case, month
),

rates as (
    select
        use_case,
        month,
        currency as from_currency,
        to_currency,
        value as rate
    from {{ ref('int_plan_values_chosen') }}
    where name = 'exchange_rate'
),

lived as (
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

latest_currencies as (
    select
        use_case,
        currency,
        row_number() over (partition by use_case order by month desc) as currency_rank
    from {{ ref('int_outcomes_summed') }}
    where currency is not null
),

-- Where nothing else names a currency, the only one in which it cost something does.
only_currencies as (
    select
        use_case,
        month,
        case when min(billing_currency) = max(billing_currency) then min(billing_currency) end as currency
    from {{ ref('int_use_case_costs_summed') }}
    group by use_case, month
),

valued as (
    select
        lived.use_case,
        lived.month,
        outcomes.use_case is not null as has_outcome,
        coalesce(
            outcomes.currency, latest_currencies.currency, assumed.hourly_currency, assumed.unit_currency,
            assumed.reporting_currency, only_currencies.currency
        ) as currency,
        outcomes.revenue,
        outcomes.hours_saved,
        outcomes.has_mixed_currencies,
        outcomes.has_mixed_units,
        assumed.hourly_currency,
        assumed.value_per_unit,
        assumed.unit_currency,
        coalesce(assumed.attribution, 1) as attribution,
        case
            when outcomes.revenue = 0 then outcomes.revenue
            else {{ exact_product('outcomes.revenue', 'assumed.margin') }}
        end as revenue_value,
        case
            when outcomes.hours_saved = 0 then 0
            else {{ exact_product(as_amount('outcomes.hours_saved'), 'assumed.hourly_rate') }}
        end as hours_value,
        {{ exact_product(as_amount('outcomes.accepted_units'), 'assumed.value_per_unit') }} as units_value
    from lived
    left join {{ ref('int_outcomes_summed') }} as outcomes
        on lived.use_case = outcomes.use_case and lived.month = outcomes.month
    left join assumed on lived.use_case = assumed.use_case and lived.month = assumed.month
    left join latest_currencies
        on lived.use_case = latest_currencies.use_case and latest_currencies.currency_rank = 1
    left join only_currencies
        on lived.use_case = only_currencies.use_case and lived.month = only_currencies.month
),

converted as (
    select
        valued.*,
        case
            when valued.hours_value = 0 or valued.hourly_currency = valued.currency then valued.hours_value
            else {{ exact_product('valued.hours_value', 'hourly.rate') }}
        end as hours_benefit,
        case
            when valued.unit_currency = valued.currency then valued.units_value
            else {{ exact_product('valued.units_value', 'per_unit.rate') }}
        end as units_benefit
    from valued
    left join rates as hourly
        on
            valued.use_case = hourly.use_case
            and valued.month = hourly.month
            and valued.hourly_currency = hourly.from_currency
            and valued.currency = hourly.to_currency
    left join rates as per_unit
        on
            valued.use_case = per_unit.use_case
            and valued.month = per_unit.month
            and valued.unit_currency = per_unit.from_currency
            and valued.currency = per_unit.to_currency
),

judged as (
    select
        *,
        case
            when not has_outcome then 'no outcome is reported'
            when has_mixed_currencies then 'revenue is in several currencies'
            when revenue is not null and revenue_value is null then 'revenue without a margin'
            when hours_saved is not null and hours_value is null then 'hours saved without an hourly rate'
            when hours_saved is not null and hours_benefit is null
                then concat('no exchange rate of ', hourly_currency, ' and ', currency)
            when has_mixed_units and value_per_unit is not null then 'units of several kinds'
            when units_value is not null and units_benefit is null
                then concat('no exchange rate of ', unit_currency, ' and ', currency)
            when revenue_value is null and hours_benefit is null and units_benefit is null
                then 'nothing is reported that the plan gives a value'
        end as benefit_unknown,
        {{ exact_sum(
            exact_sum('coalesce(revenue_value, 0)', 'coalesce(hours_benefit, 0)'), 'coalesce(units_benefit, 0)'
        ) }} as value_of_outcome
    from converted
),

costs as (
    select
        costs.use_case,
        costs.month,
        costs.charge_count,
        coalesce(valued.currency = costs.billing_currency, false) or rates.rate is not null as is_converted,
        case when rates.rate is null then costs.billing_currency else valued.currency end as currency,
        case
            when rates.rate is null then costs.effective_cost
            else {{ exact_product('costs.effective_cost', 'rates.rate') }}
        end as effective_cost,
        case
            when rates.rate is null then costs.shared_cost
            else {{ exact_product('costs.shared_cost', 'rates.rate') }}
        end as shared_cost,
        case
            when rates.rate is null then costs.organisation_cost
            else {{ exact_product('costs.organisation_cost', 'rates.rate') }}
        end as organisation_cost
    from {{ ref('int_use_case_costs_summed') }} as costs
    inner join valued on costs.use_case = valued.use_case and costs.month = valued.month
    left join rates
        on
            costs.use_case = rates.use_case
            and costs.month = rates.month
            and costs.billing_currency = rates.from_currency
            and valued.currency = rates.to_currency
            and costs.billing_currency <> valued.currency
),

spent as (
    select
        use_case,
        month,
        currency,
        sum(effective_cost) as effective_cost,
        sum(shared_cost) as shared_cost,
        sum(organisation_cost) as organisation_cost,
        sum(charge_count) as charge_count
    from costs
    group by use_case, month, currency
),

unconverted as (
    select
        use_case,
        month,
        sum(charge_count) as charge_count
    from costs
    where not is_converted
    group by use_case, month
),

grains as (
    select
        use_case,
        month,
        currency
    from judged
    where has_outcome
    union distinct
    select
        use_case,
        month,
        currency
    from spent
),

compared as (
    select
        grains.use_case,
        grains.month,
        grains.currency,
        spent.effective_cost,
        spent.shared_cost,
        spent.organisation_cost,
        coalesce(spent.charge_count, 0) as charge_count,
        case when judged.use_case is null then 0 else coalesce(unconverted.charge_count, 0) end
            as unconverted_cost_charges,
        coalesce(judged.has_outcome, false) as has_outcome,
        case
            when judged.benefit_unknown is null
                then {{ exact_product('judged.value_of_outcome', 'judged.attribution') }}
        end as benefit,
        case
            when judged.use_case is null and home.currency is null
                then 'costs are in several currencies, none of them its own'
            when judged.use_case is null then concat('no exchange rate of ', grains.currency, ' and ', home.currency)
            when judged.benefit_unknown is not null then judged.benefit_unknown
            when unconverted.charge_count > 0 then 'charges without an exchange rate'
            when spent.effective_cost is null then 'no charge names the use case'
        end as unmeasured_reason
    from grains
    inner join judged as home on grains.use_case = home.use_case and grains.month = home.month
    left join judged
        on
            grains.use_case = judged.use_case
            and grains.month = judged.month
            and coalesce(grains.currency, '') = coalesce(judged.currency, '')
    left join spent
        on grains.use_case = spent.use_case and grains.month = spent.month and grains.currency = spent.currency
    left join unconverted on grains.use_case = unconverted.use_case and grains.month = unconverted.month
),

reported as (
    select
        compared.*,
        outcomes.units,
        outcomes.accepted_units,
        outcomes.unit_name,
        outcomes.revenue,
        outcomes.hours_saved,
        outcomes.satisfaction,
        outcomes.active_users,
        outcomes.eligible_users,
        case when compared.unconverted_cost_charges = 0 then compared.effective_cost end as whole_cost,
        thresholds.value as accepted_unit_threshold
    from compared
    left join {{ ref('int_outcomes_summed') }} as outcomes
        on compared.has_outcome and compared.use_case = outcomes.use_case and compared.month = outcomes.month
    left join {{ ref('int_plan_values_chosen') }} as thresholds
        on
            compared.has_outcome
            and compared.use_case = thresholds.use_case
            and compared.month = thresholds.month
            and compared.currency = thresholds.currency
            and thresholds.name = 'cost_per_accepted_outcome'
),

unit_costs as (
    select
        *,
        {{ ratio('whole_cost', 'accepted_units') }} as cost_per_accepted_unit,
        {{ ratio('units - accepted_units', 'units') }} as rework_share,
        {{ exact_difference('revenue', 'whole_cost') }} as revenue_margin
    from reported
)

select
    use_case,
    month,
    currency,
    effective_cost,
    shared_cost,
    organisation_cost,
    cast(charge_count as bigint) as charge_count,
    cast(unconverted_cost_charges as bigint) as unconverted_cost_charges,
    has_outcome,
    units,
    accepted_units,
    unit_name,
    revenue,
    hours_saved,
    satisfaction,
    active_users,
    eligible_users,
    benefit,
    unmeasured_reason is null as is_measured,
    unmeasured_reason,
    cost_per_accepted_unit,
    case
        when not has_outcome or cost_per_accepted_unit is not null then cast(null as string)
        when currency is null then 'no currency: neither revenue nor an assumption names one'
        when unconverted_cost_charges > 0 then 'charges without an exchange rate'
        when effective_cost is null then 'no charge names the use case'
        when accepted_units is null then 'accepted outcomes not reported'
        else 'no accepted outcome'
    end as accepted_unit_reason,
    accepted_unit_threshold,
    case
        when has_outcome then {{ threshold_status('cost_per_accepted_unit', 'accepted_unit_threshold') }}
    end as accepted_unit_status,
    {{ ratio('whole_cost', 'units') }} as cost_per_unit,
    units - accepted_units as rework_units,
    rework_share,
    {{ as_amount('cast(whole_cost as double) * rework_share') }} as rework_cost,
    {{ ratio('revenue', 'accepted_units') }} as revenue_per_accepted_unit,
    revenue_margin,
    {{ ratio('revenue_margin', 'revenue') }} as revenue_margin_ratio,
    case when unmeasured_reason is null then {{ exact_difference('benefit', 'effective_cost') }} end as margin,
    case when unmeasured_reason is null then {{ ratio('benefit - effective_cost', 'effective_cost') }} end as roi
from unit_costs
