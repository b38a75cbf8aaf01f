-- Where the money goes, month by month: bills by plain category, and beside them what people and the organisation
-- cost by the plan. Teams are those whose charges they are, before shared pools are split. Grain: month ×
-- category × team × currency × source.
with told as (
    select
        month,
        category,
        team,
        billing_currency,
        'bill' as source,
        billed_cost,
        effective_cost,
        cast(charge_count as bigint) as charge_count
    from {{ ref('int_spend_categorized') }}

    union all

    select
        month,
        category,
        coalesce(team, 'unallocated') as team,
        currency as billing_currency,
        'plan' as source,
        cast(null as decimal(38, 18)) as billed_cost,
        sum(amount) as effective_cost,
        cast(null as bigint) as charge_count
    from {{ ref('stg_organisation_cost') }}
    group by month, category, coalesce(team, 'unallocated'), currency
),

shared as (
    select
        *,
        sum(effective_cost) over (partition by month, billing_currency) as month_cost
    from told
)

select
    month,
    category,
    team,
    billing_currency,
    source,
    billed_cost,
    effective_cost,
    {{ ratio('effective_cost', 'month_cost') }} as share_of_month,
    charge_count
from shared
