-- What each use case brought in a month beside what it cost, both in the currency of its outcome.
-- What is not known stays unknown: a charge without an exchange rate leaves the cost null, and so does a use case that
-- no charge names.
with valued as (
    select
        outcomes.*,
        hourly_rate.value as hourly_rate,
        hourly_rate.currency as hourly_currency,
        value_per_unit.value as value_per_unit,
        value_per_unit.currency as unit_currency,
        coalesce(cast(attribution.value as double), 1) as attribution,
        coalesce(outcomes.currency, hourly_rate.currency, value_per_unit.currency) as value_currency
    from {{ ref('int_outcomes_summed') }} as outcomes
    left join {{ ref('int_assumptions_chosen') }} as hourly_rate
        on
            outcomes.use_case = hourly_rate.use_case
            and outcomes.month = hourly_rate.month
            and hourly_rate.name = 'hourly_rate'
    left join {{ ref('int_assumptions_chosen') }} as value_per_unit
        on
            outcomes.use_case = value_per_unit.use_case
            and outcomes.month = value_per_unit.month
            and value_per_unit.name = 'value_per_unit'
    left join {{ ref('int_assumptions_chosen') }} as attribution
        on
            outcomes.use_case = attribution.use_case
            and outcomes.month = attribution.month
            and attribution.name = 'attribution'
),

rates as (
    select
        use_case,
        month,
        currency as from_currency,
        to_currency,
        cast(value as double) as rate
    from {{ ref('int_assumptions_chosen') }}
    where name = 'exchange_rate'
),

parts as (
    select
        valued.use_case,
        valued.month,
        valued.value_currency as currency,
        valued.units,
        valued.accepted_units,
        valued.unit_name,
        valued.revenue,
        valued.hours_saved,
        valued.satisfaction,
        valued.active_users,
        valued.eligible_users,
        valued.attribution,
        cast(valued.revenue as double) as revenue_value,
        valued.hours_saved * cast(valued.hourly_rate as double)
        * case when valued.hourly_currency = valued.value_currency then 1 else hourly.rate end as hours_value,
        valued.accepted_units * cast(valued.value_per_unit as double)
        * case when valued.unit_currency = valued.value_currency then 1 else per_unit.rate end as units_value
    from valued
    left join rates as hourly
        on
            valued.use_case = hourly.use_case
            and valued.month = hourly.month
            and valued.hourly_currency = hourly.from_currency
            and valued.value_currency = hourly.to_currency
    left join rates as per_unit
        on
            valued.use_case = per_unit.use_case
            and valued.month = per_unit.month
            and valued.unit_currency = per_unit.from_currency
            and valued.value_currency = per_unit.to_currency
),

benefits as (
    select
        *,
        case
            when revenue_value is not null or hours_value is not null or units_value is not null
                then {{ as_amount(
                    'attribution * (coalesce(revenue_value, 0) + coalesce(hours_value, 0) + coalesce(units_value, 0))'
                ) }}
        end as benefit
    from parts
),

converted as (
    select
        benefits.use_case,
        benefits.month,
        costs.charge_count,
        case
            when costs.billing_currency = benefits.currency then costs.effective_cost
            else {{ as_amount('cast(costs.effective_cost as double) * rates.rate') }}
        end as effective_cost
    from benefits
    inner join {{ ref('int_use_case_costs_summed') }} as costs
        on benefits.use_case = costs.use_case and benefits.month = costs.month
    left join rates
        on
            benefits.use_case = rates.use_case
            and benefits.month = rates.month
            and costs.billing_currency = rates.from_currency
            and benefits.currency = rates.to_currency
),

costs as (
    select
        use_case,
        month,
        case when count(effective_cost) = count(*) then sum(effective_cost) end as effective_cost,
        sum(case when effective_cost is null then charge_count else 0 end) as unconverted_cost_charges
    from converted
    group by use_case, month
)

select
    benefits.use_case,
    benefits.month,
    benefits.currency,
    costs.effective_cost,
    cast(coalesce(costs.unconverted_cost_charges, 0) as bigint) as unconverted_cost_charges,
    benefits.units,
    benefits.accepted_units,
    benefits.unit_name,
    benefits.revenue,
    benefits.hours_saved,
    benefits.satisfaction,
    benefits.active_users,
    benefits.eligible_users,
    benefits.benefit,
    {{ ratio('costs.effective_cost', 'benefits.accepted_units') }} as cost_per_accepted_unit,
    {{ exact_difference('benefits.benefit', 'costs.effective_cost') }} as margin,
    {{ ratio('benefits.benefit - costs.effective_cost', 'costs.effective_cost') }} as roi
from benefits
left join costs on benefits.use_case = costs.use_case and benefits.month = costs.month
