-- What each service cost in each month, with what all of its provider's services and the whole month cost beside it,
-- and how the month stands to the one before. A month that is not over, or has none before it, has no change.
with services as (
    select
        {{ month_text('daily.charge_date') }} as month,
        daily.service_provider_name,
        daily.service_category,
        daily.service_name,
        daily.billing_currency,
        sum(daily.billed_cost) as billed_cost,
        sum(daily.effective_cost) as effective_cost,
        sum(daily.contracted_cost) as contracted_cost,
        sum(daily.list_cost) as list_cost,
        sum(daily.estimated_cost) as estimated_cost,
        sum(case when daily.charge_date > data_date.data_through then daily.effective_cost else 0 end)
            as known_future_cost,
        cast(sum(daily.charge_count) as bigint) as charge_count
    from {{ ref('fct_daily_cost') }} as daily
    cross join {{ ref('int_data_date_found') }} as data_date
    group by
        {{ month_text('daily.charge_date') }}, daily.service_provider_name, daily.service_category,
        daily.service_name, daily.billing_currency
),

months as (
    select
        month,
        billing_currency,
        sum(effective_cost) as month_cost,
        sum(estimated_cost) as month_estimated_cost,
        sum(known_future_cost) as month_known_future_cost
    from services
    group by month, billing_currency
),

compared as (
    select
        months.month,
        months.billing_currency,
        months.month_cost,
        months.month_estimated_cost,
        months.month_known_future_cost,
        case
            when {{ dbt.last_day("cast(concat(months.month, '-01') as date)", 'month') }} <= data_date.data_through
                then {{ ratio('months.month_cost', 'before.month_cost') }} - 1
        end as month_change
    from months
    cross join {{ ref('int_data_date_found') }} as data_date
    left join months as before
        on
            months.billing_currency = before.billing_currency
            and before.month = {{ month_before('months.month') }}
),

providers as (
    select
        month,
        service_provider_name,
        billing_currency,
        sum(billed_cost) as provider_billed_cost,
        sum(effective_cost) as provider_cost
    from services
    group by month, service_provider_name, billing_currency
)

select
    services.month,
    services.service_provider_name,
    services.service_category,
    services.service_name,
    services.billing_currency,
    services.billed_cost,
    services.effective_cost,
    services.contracted_cost,
    services.list_cost,
    services.estimated_cost,
    services.known_future_cost,
    services.charge_count,
    providers.provider_billed_cost,
    providers.provider_cost,
    {{ ratio('providers.provider_cost', 'compared.month_cost') }} as provider_share,
    compared.month_cost,
    compared.month_estimated_cost,
    compared.month_known_future_cost,
    compared.month_change
from services
inner join providers
    on
        services.month = providers.month
        and services.service_provider_name = providers.service_provider_name
        and services.billing_currency = providers.billing_currency
inner join compared
    on services.month = compared.month and services.billing_currency = compared.billing_currency
