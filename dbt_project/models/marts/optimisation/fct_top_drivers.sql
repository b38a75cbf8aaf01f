-- What moved the cost of each team from one week or month to the next, SKU by SKU: price, volume, mix, new,
-- ended, and what is billed without a quantity. The effects of a row add up to its change to the last digit. Of a
-- SKU in both periods: price is the change of its unit price at today's quantity; volume is what it would have
-- cost more had all SKUs of its team, service and unit grown alike; mix is the rest, that it grew more or less
-- than they.
{% set period = ['period_kind', 'period_start'] %}
{% set item = ['team', 'service_provider_name', 'service_name', 'model', 'sku', 'unit', 'billing_currency'] %}
{% set alike = (period + ['team', 'service_provider_name', 'service_name', 'unit', 'billing_currency', 'change_kind'])
    | join(', ') %}

with told as (
    select
        *,
        case
            when previous_days = 0 then 'new'
            when current_days = 0 then 'ended'
            when uncounted_days > 0 or previous_quantity <= 0 or current_quantity <= 0 then 'uncounted'
            else 'continuing'
        end as change_kind
    from {{ ref('int_periods_compared') }}
),

grouped as (
    select
        *,
        count(*) over (partition by {{ alike }}) as skus_alike,
        {{ ratio('current_quantity', 'previous_quantity') }} as growth,
        {{ ratio(
            'sum(current_quantity) over (partition by ' ~ alike ~ ')',
            'sum(previous_quantity) over (partition by ' ~ alike ~ ')',
        ) }} as growth_alike
    from told
),

priced as (
    select
        *,
        case
            when change_kind = 'continuing'
                then {{ as_amount('cast(current_cost as double) - cast(previous_cost as double) * growth') }}
            else cast(0 as decimal(38, 18))
        end as price_effect
    from grouped
),

rest as (
    select
        *,
        {{ exact_difference('cost_change', 'price_effect') }} as unpriced_change
    from priced
),

measured as (
    select
        *,
        case
            when change_kind <> 'continuing' then cast(0 as decimal(38, 18))
            when skus_alike = 1 then unpriced_change
            else {{ as_amount('cast(previous_cost as double) * (growth_alike - 1)') }}
        end as volume_effect
    from rest
)

select
    period_kind,
    period_start,
    previous_start,
    {{ item | join(',\n    ') }},
    change_kind,
    previous_cost,
    current_cost,
    cost_change,
    previous_quantity,
    current_quantity,
    {{ ratio('previous_cost', 'previous_quantity') }} as previous_price,
    {{ ratio('current_cost', 'current_quantity') }} as current_price,
    price_effect,
    volume_effect,
    case
        when change_kind = 'continuing' then {{ exact_difference('unpriced_change', 'volume_effect') }}
        else cast(0 as decimal(38, 18))
    end as mix_effect,
    {% for kind in ['new', 'ended', 'uncounted'] %}
    case when change_kind = '{{ kind }}' then cost_change else cast(0 as decimal(38, 18)) end as {{ kind }}_effect,
    {% endfor %}
    cast(
        row_number() over (
            partition by {{ period | join(', ') }}, billing_currency
            order by abs(cost_change) desc, {{ item | join(', ') }}
        ) as bigint
    ) as driver_rank
from measured
