-- Charges added up per UTC day and everything that a rule or a mart looks at. No charge is lost or counted twice.
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
)

select
    daily.*,
    periods.rules_as_of,
    {{ subject_key() }} as subject_key
from daily
inner join {{ ref('stg_rule_period') }} as periods on {{ in_period('daily.charge_date', 'periods') }}
