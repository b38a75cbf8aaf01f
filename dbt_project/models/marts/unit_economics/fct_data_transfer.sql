-- What moving data costs in a month: between zones, regions and clouds, over private lines, through content delivery
-- and to the internet, as the provider's words tell; a direction that they do not tell is unknown and stays visible.
{% set grain = [
    'service_provider_name', 'billing_account_id', 'sub_account_id', 'service_name', 'region_id', 'direction',
    'billing_currency',
] %}

with monthly as (
    select
        {{ month_text('charge_date') }} as month,
        {{ grain | join(',\n        ') }},
        sum(gigabytes) as gigabytes,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost
    from {{ ref('int_transfers_classified') }}
    group by {{ month_text('charge_date') }}, {{ grain | join(', ') }}
)

select
    *,
    {{ ratio('effective_cost', 'gigabytes') }} as effective_cost_per_gb
from monthly
