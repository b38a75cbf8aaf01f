-- Charges added up per UTC day and everything that a rule or a mart looks at. No charge is lost or counted twice.
-- Beside them: whether the plan has closed their month today (a row that names no source or no account closes it for
-- all), and whether their resource or API key was billed on so many days of the calendar month that it is to stay.
{% set seconds = {'Seconds': 1, 'Minutes': 60, 'Hours': 3600, 'Days': 86400} %}
{% set bytes = {
    'Bytes': 1, 'KB': 1e3, 'MB': 1e6, 'GB': 1e9, 'TB': 1e12, 'PB': 1e15,
    'KiB': 1024, 'MiB': 1048576, 'GiB': 1073741824, 'TiB': 1099511627776, 'PiB': 1125899906842624,
} %}

with charges as (
    select
        *,
        {{ month_text('cast(billing_period_start as date)') }} as billing_month,
        case
            when charge_category in ('Tax', 'Credit', 'Adjustment') then lower(charge_category)
            when coalesce(service_subcategory, service_name) = 'Support' then 'support'
            when service_subcategory is null and lower(service_name) like '%support%' then 'support'
            when charge_category = 'Purchase' then 'purchase'
            when commitment_discount_status = 'Unused' then 'unused_commitment'
            else 'usage'
        end as charge_kind,
        -- What is bought, credited or corrected once says nothing of the days to come.
        charge_frequency <> 'One-Time' and coalesce(charge_class, '') <> 'Correction' as is_recurring
    from {{ ref('int_charges_by_day') }}
),

daily as (
    select
        charge_date,
        billing_month,
        x_adapter as source_name,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        service_category,
        service_name,
        charge_category,
        charge_kind,
        is_spread,
        is_recurring,
        resource_id,
        resource_name,
        x_api_key_id,
        charge_description,
        tags,
        x_model,
        x_token_kind,
        x_service_tier,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        sum(contracted_cost) as contracted_cost,
        sum(list_cost) as list_cost,
        sum(
            case
                when commitment_discount_status = 'Used'
                    then {{ exact_difference('contracted_cost', 'effective_cost') }}
            end
        ) as commitment_saving,
        cast(
            sum(case when x_token_kind is not null and consumed_unit = 'Tokens' then consumed_quantity end)
            as decimal(38, 18)
        ) as tokens,
        {{ quantity_used(seconds) }} as seconds_used,
        {{ quantity_used(bytes) }} as bytes_used,
        cast(sum(charge_count) as bigint) as charge_count
    from charges
    group by
        charge_date, billing_month, x_adapter, service_provider_name, billing_account_id, sub_account_id,
        service_category, service_name, charge_category, charge_kind, is_spread, is_recurring, resource_id,
        resource_name, x_api_key_id, charge_description, tags, x_model, x_token_kind, x_service_tier, billing_currency
),

keyed as (
    select
        daily.*,
        periods.rules_as_of,
        {{ subject_key() }} as subject_key
    from daily
    inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('daily.charge_date', 'periods') }}
),

closed_months as (
    select distinct
        daily.source_name,
        daily.billing_account_id,
        daily.billing_month
    from daily
    inner join {{ ref('stg_closed_month') }} as closed
        on
            daily.billing_month = closed.month
            and (closed.source_name is null or daily.source_name = closed.source_name)
            and (closed.billing_account_id is null or daily.billing_account_id = closed.billing_account_id)
    where closed.closed_on <= current_date
),

-- A month is judged by its own days alone, so that a later month changes nothing about an earlier one.
persistent_things as (
    select
        {{ month_text('charge_date') }} as month,
        billing_account_id,
        coalesce(resource_id, x_api_key_id) as billed_thing
    from daily
    where coalesce(resource_id, x_api_key_id) is not null
    group by {{ month_text('charge_date') }}, billing_account_id, coalesce(resource_id, x_api_key_id)
    having count(distinct charge_date) >= {{ limit_of('persistent_days') }}
)

select
    keyed.*,
    closed_months.billing_month is not null as is_closed,
    persistent_things.billed_thing is not null as is_billed_persistently
from keyed
left join closed_months
    on
        keyed.source_name = closed_months.source_name
        and keyed.billing_account_id = closed_months.billing_account_id
        and keyed.billing_month = closed_months.billing_month
left join persistent_things
    on
        {{ month_text('keyed.charge_date') }} = persistent_things.month
        and keyed.billing_account_id = persistent_things.billing_account_id
        and coalesce(keyed.resource_id, keyed.x_api_key_id) = persistent_things.billed_thing
