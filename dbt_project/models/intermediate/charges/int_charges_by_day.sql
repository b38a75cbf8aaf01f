-- Charges added up per UTC day over everything that any model tells charges apart by. Only months of the lake that are
-- new, changed or gone since the last build are read; models that need no hours read this instead of the lake.
-- A charge longer than a day costs each of its days within its billing month the same, to the last digit: what was
-- billed, and its count, stay on the first of them. Days of it may lie ahead of the data.
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
{% set spread = costs[1:] + quantities %}
{% set period = ['charge_period_start', 'charge_period_end', 'lake_source', 'lake_month'] %}
{% set as_delivered = told_apart + costs + quantities + period %}
{% set days = '(' ~ dbt.datediff('first_day', 'last_day', 'day') ~ ' + 1)' %}
{% set is_long -%} charge_period_end > {{ dbt.dateadd('day', 1, 'charge_period_start') }} {%- endset %}

with digits (digit) as (
    select *
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))
),

day_numbers as (
    select hundreds.digit * 100 + tens.digit * 10 + ones.digit as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
),

long_charges as (
    select
        {{ as_delivered | join(',\n        ') }},
        cast(billing_period_start as date) as month_start,
        cast({{ dbt.dateadd('day', -1, 'billing_period_end') }} as date) as month_end,
        cast(charge_period_start as date) as first_date,
        cast({{ dbt.dateadd('second', -1, 'charge_period_end') }} as date) as last_date
    from {{ ref('stg_cost_and_usage') }}
    where {{ is_long }}{% if is_incremental() %} and {{ is_of_changed_month() }}{% endif %}

),

-- A charge of other days than its billing month's costs those of the calendar month that it begins in.
bounded as (
    select
        *,
        case
            when first_date <= month_end and last_date >= month_start then greatest(first_date, month_start)
            else first_date
        end as first_day,
        case
            when first_date <= month_end and last_date >= month_start then least(last_date, month_end)
            else least(last_date, {{ dbt.last_day('first_date', 'month') }})
        end as last_day
    from long_charges
),

shared as (
    select
        bounded.*,
        {{ dbt.datediff('first_day', 'last_day', 'day') }} + 1 as days, -- noqa: LT05
        {{ as_amount('cast(effective_cost as double) / ' ~ days) }} as effective_cost_share, -- noqa: LT05
        {{ as_amount('cast(contracted_cost as double) / ' ~ days) }} as contracted_cost_share, -- noqa: LT05
        {{ as_amount('cast(list_cost as double) / ' ~ days) }} as list_cost_share, -- noqa: LT05
        {{ as_amount('cast(pricing_quantity as double) / ' ~ days) }} as pricing_quantity_share, -- noqa: LT05
        {{ as_amount('cast(consumed_quantity as double) / ' ~ days) }} as consumed_quantity_share, -- noqa: LT05
        {{ as_amount('cast(commitment_discount_quantity as double) / ' ~ days) }} -- noqa: LT05
            as commitment_discount_quantity_share
    from bounded
),

-- The last day has the whole amount less the other days' shares: sums alone, because Spark drops a digit where it
-- multiplies or subtracts wide decimals.
spread_days as (
    select
        case
            when halves.sign = 1
                then cast({{ dbt.dateadd('day', 'day_numbers.day_number', 'shared.first_day') }} as date)
            else shared.last_day
        end as charge_date,
        true as is_spread,
        case when halves.sign = 1 and day_numbers.day_number = 0 then 1 else 0 end as charges,
        {% for column in told_apart %}shared.{{ column }},
        {% endfor -%}
        case
            when halves.sign = 1 and day_numbers.day_number = 0 then shared.billed_cost
            else cast(0 as decimal(38, 18))
        end as billed_cost,
        {% for measure in spread %}
        case
            when halves.sign = -1 then -shared.{{ measure }}_share
            when day_numbers.day_number = shared.days - 1 then shared.{{ measure }}
            else shared.{{ measure }}_share
        end as {{ measure }},
        {% endfor %}
        {% for measure in costs + quantities %}shared.{{ measure }} is null as no_{{ measure }},
        {% endfor -%}
        shared.billed_cost < 0 as is_paid_back,
        shared.effective_cost < 0 as is_refund,
        shared.{{ period | join(',\n        shared.') }}
    from shared
    inner join day_numbers on shared.days > day_numbers.day_number
    cross join (values (1), (-1)) as halves (sign)
    where halves.sign = 1 or day_numbers.day_number < shared.days - 1
),

single_days as (
    select
        cast(charge_period_start as date) as charge_date,
        false as is_spread,
        1 as charges,
        {% for column in told_apart + costs + quantities %}{{ column }},
        {% endfor -%}
        {% for measure in costs + quantities %}{{ measure }} is null as no_{{ measure }},
        {% endfor -%}
        billed_cost < 0 as is_paid_back,
        effective_cost < 0 as is_refund,
        {{ period | join(',\n        ') }}
    from {{ ref('stg_cost_and_usage') }}
    where not coalesce({{ is_long }}, false){% if is_incremental() %} and {{ is_of_changed_month() }}{% endif %}

),

dated as (
    select * from single_days
    union all
    select * from spread_days
),

daily as (
    select
        charge_date,
        is_spread,
        {{ told_apart | join(',\n        ') }},
        {% for cost in costs %}sum({{ cost }}) as {{ cost }},
        {% endfor -%}
        -- A petabyte kept for a day is more byte-seconds than a number with eighteen decimals holds.
        {% for quantity in quantities %}sum(cast({{ quantity }} as decimal(38, 12))) as {{ quantity }},
        {% endfor -%}
        min(charge_period_start) as first_period_start,
        max(charge_period_end) as last_period_end,
        cast(sum(charges) as bigint) as charge_count,
        lake_source,
        lake_month
    from dated
    group by
        charge_date, is_spread, {{ told_apart | join(', ') }}, lake_source, lake_month,
        {% for measure in costs + quantities %}no_{{ measure }},
        {% endfor -%}
        is_paid_back, is_refund
),

months as (
    {{ lake_months() }}
)

select
    daily.*,
    months.lake_version
from daily
inner join months on daily.lake_source = months.lake_source and daily.lake_month = months.lake_month
