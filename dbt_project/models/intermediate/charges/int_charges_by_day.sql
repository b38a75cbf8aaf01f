-- Charges added up per UTC day over everything that any model tells charges apart by. Only months of the lake that are
-- new, changed or gone since the last build are read; models that need no hours read this instead of the lake.
-- Costs and quantities that are not known, and refunds, are never added to others.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    partition_by=['lake_source', 'lake_month'],
    pre_hook='{{ forget_changed_months() }}',
) }}
{% set told_apart = [
    'billing_period_start', 'service_provider_name', 'host_provider_name', 'invoice_issuer_name', 'invoice_id',
    'billing_account_id', 'sub_account_id', 'sub_account_name', 'region_id', 'service_category', 'service_subcategory',
    'service_name', 'charge_category', 'charge_class', 'charge_frequency', 'charge_description', 'pricing_category',
    'commitment_discount_id', 'commitment_discount_name', 'commitment_discount_type', 'commitment_discount_category',
    'commitment_discount_status', 'capacity_reservation_status', 'resource_id', 'resource_name', 'sku_id', 'sku_meter',
    'sku_price_details', 'pricing_unit', 'consumed_unit', 'commitment_discount_unit', 'tags', 'x_model',
    'x_token_kind', 'x_service_tier', 'x_api_key_id', 'x_adapter', 'billing_currency',
] %}
{% set costs = ['billed_cost', 'effective_cost', 'contracted_cost', 'list_cost'] %}
{% set quantities = ['pricing_quantity', 'consumed_quantity', 'commitment_discount_quantity'] %}

with charges as (
    select *
    from {{ ref('stg_cost_and_usage') }}
    {% if is_incremental() %}where {{ is_of_changed_month() }}{% endif %}
),

daily as (
    select
        cast(charge_period_start as date) as charge_date,
        {{ told_apart | join(',\n        ') }},
        {% for cost in costs %}sum({{ cost }}) as {{ cost }},
        {% endfor -%}
        -- A petabyte kept for a day is more byte-seconds than a number with eighteen decimals holds.
        {% for quantity in quantities %}sum(cast({{ quantity }} as decimal(38, 12))) as {{ quantity }},
        {% endfor -%}
        min(charge_period_start) as first_period_start,
        max(charge_period_end) as last_period_end,
        count(*) as charge_count,
        lake_source,
        lake_month
    from charges
    group by
        cast(charge_period_start as date), {{ told_apart | join(', ') }}, lake_source, lake_month,
        {% for measure in costs + quantities %}{{ measure }} is null,
        {% endfor -%}
        billed_cost < 0, effective_cost < 0
),

months as (
    {{ lake_months() }}
)

select
    daily.*,
    months.lake_version
from daily
inner join months on daily.lake_source = months.lake_source and daily.lake_month = months.lake_month
