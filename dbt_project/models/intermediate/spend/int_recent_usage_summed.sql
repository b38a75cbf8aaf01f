-- Usage of the data's month and the one before, by the period that was billed, of longer ones by the day; after the
-- last period that a vendor has billed for its models what the tokens counted since would cost at list price; and what
-- other days not reported yet are estimated to cost. A period billed ahead of the data ends with the data.
with span as (
    select
        cast({{ dbt.dateadd('month', -1, dbt.date_trunc('month', 'data_through')) }} as timestamp) as first_instant,
        cast({{ dbt.dateadd('day', 1, 'data_through') }} as timestamp) as end_of_data
    from {{ ref('int_data_date_found') }}
),

billed_until as (
    select
        service_provider_name,
        max(last_period_end) as billed_until
    from {{ ref('int_charges_by_day') }}
    where charge_category = 'Usage' and (x_model is not null or x_token_kind is not null)
    group by service_provider_name
),

model_services as (
    select
        service_provider_name,
        max(service_name) as service_name
    from {{ ref('int_charges_summed') }}
    where x_model is not null or x_token_kind is not null
    group by service_provider_name
),

-- Engines leave unread the files of months that no recent charge is in.
recent_months as (
    select distinct charges.lake_month
    from {{ ref('int_charges_by_day') }} as charges
    inner join span on charges.charge_date >= cast(span.first_instant as date)
),

billed as (
    select
        charges.charge_period_start as period_start,
        least(charges.charge_period_end, span.end_of_data) as period_end,
        cast(charges.charge_period_start as date) as charge_date,
        {% for column in subject_columns() %}charges.{{ column }},
        {% endfor -%}
        charges.billing_currency,
        sum(charges.effective_cost) as effective_cost
    from {{ ref('stg_cost_and_usage') }} as charges
    inner join recent_months on charges.lake_month = recent_months.lake_month
    inner join span on charges.charge_period_start >= span.first_instant
    where
        charges.charge_category = 'Usage'
        and charges.charge_period_end <= {{ dbt.dateadd('day', 1, 'charges.charge_period_start') }}
    group by
        charges.charge_period_start, least(charges.charge_period_end, span.end_of_data),
        cast(charges.charge_period_start as date),
        {% for column in subject_columns() %}charges.{{ column }},
        {% endfor -%}
        charges.billing_currency
),

spread as (
    select
        cast(charges.charge_date as timestamp) as period_start,
        cast({{ dbt.dateadd('day', 1, 'charges.charge_date') }} as timestamp) as period_end,
        charges.charge_date,
        {% for column in subject_columns() %}charges.{{ column }},
        {% endfor -%}
        charges.billing_currency,
        charges.effective_cost
    from {{ ref('int_charges_by_day') }} as charges
    inner join span
        on
            charges.charge_date >= cast(span.first_instant as date)
            and charges.charge_date < cast(span.end_of_data as date)
    where charges.charge_category = 'Usage' and charges.is_spread
),

counted as (
    select
        counts.usage_start as period_start,
        counts.usage_end as period_end,
        cast(counts.usage_start as date) as charge_date,
        {{ usage_subject_columns('counts') }},
        counts.estimated_cost_currency as billing_currency,
        counts.estimated_cost,
        case when counts.price_status = 'unpriced' then counts.requests else 0 end as unpriced_requests
    from {{ ref('int_ai_usage_counted') }} as counts
    inner join span on counts.usage_start >= span.first_instant
    left join billed_until on counts.vendor = billed_until.service_provider_name
    where billed_until.billed_until is null or counts.usage_start >= billed_until.billed_until
),

-- What a vendor has counted since its last bill is better known than what it used to cost.
unreported as (
    select
        cast(charges.charge_date as timestamp) as period_start,
        cast({{ dbt.dateadd('day', 1, 'charges.charge_date') }} as timestamp) as period_end,
        charges.charge_date,
        {% for column in subject_columns() %}charges.{{ column }},
        {% endfor -%}
        charges.billing_currency,
        charges.estimated_cost
    from {{ ref('int_charges_estimated') }} as charges
    inner join span on charges.charge_date >= cast(span.first_instant as date)
    where
        charges.charge_category = 'Usage'
        and (
            (charges.x_model is null and charges.x_token_kind is null)
            or charges.service_provider_name not in (
                select counted.service_provider_name
                from counted
                where counted.service_provider_name is not null
            )
        )
),

keyed as (
    select
        period_start,
        period_end,
        charge_date,
        service_provider_name,
        service_name as billed_service,
        billing_currency,
        'billed' as told_by,
        effective_cost,
        0 as unpriced_requests,
        {{ subject_key() }} as subject_key
    from billed

    union all

    select
        period_start,
        period_end,
        charge_date,
        service_provider_name,
        service_name as billed_service,
        billing_currency,
        'spread' as told_by,
        effective_cost,
        0 as unpriced_requests,
        {{ subject_key() }} as subject_key
    from spread

    union all

    select
        period_start,
        period_end,
        charge_date,
        service_provider_name,
        service_name as billed_service,
        billing_currency,
        'estimated' as told_by,
        estimated_cost as effective_cost,
        0 as unpriced_requests,
        {{ subject_key() }} as subject_key
    from unreported

    union all

    select
        period_start,
        period_end,
        charge_date,
        service_provider_name,
        cast(null as string) as billed_service,
        billing_currency,
        'estimated' as told_by,
        estimated_cost as effective_cost,
        unpriced_requests,
        {{ subject_key() }} as subject_key
    from counted
)

select
    keyed.period_start,
    keyed.period_end,
    coalesce(attributed.team, 'unallocated') as team,
    keyed.service_provider_name,
    coalesce(keyed.billed_service, model_services.service_name, 'unknown') as service_name,
    keyed.billing_currency,
    keyed.told_by,
    sum(keyed.effective_cost) as effective_cost,
    sum(keyed.unpriced_requests) as unpriced_requests
from keyed
inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('keyed.charge_date', 'periods') }}
left join {{ ref('int_subjects_attributed') }} as attributed
    on keyed.subject_key = attributed.subject_key and periods.rules_as_of = attributed.rules_as_of
left join model_services on keyed.service_provider_name = model_services.service_provider_name
group by
    keyed.period_start, keyed.period_end, coalesce(attributed.team, 'unallocated'), keyed.service_provider_name,
    coalesce(keyed.billed_service, model_services.service_name, 'unknown'), keyed.billing_currency, keyed.told_by
