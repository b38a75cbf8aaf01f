-- Every tag key is measured against all usage of each month and currency, in total and over all teams.
with wanted as (
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_charges_summed') }}
    where charge_category = 'Usage'
    group by {{ month_text('charge_date') }}, billing_currency
),

shown as (
    select
        month,
        billing_currency,
        tag_key,
        scope,
        sum(effective_cost) as effective_cost,
        sum(taggable_cost) as taggable_cost,
        sum(covered_cost) as covered_cost
    from {{ ref('fct_tag_coverage') }}
    group by month, billing_currency, tag_key, scope
)

select
    shown.month,
    shown.tag_key,
    shown.scope,
    'not all usage' as broken
from shown
left join wanted on shown.month = wanted.month and shown.billing_currency = wanted.billing_currency
where wanted.effective_cost is null or shown.effective_cost <> wanted.effective_cost

union all

select
    teams.month,
    teams.tag_key,
    teams.scope,
    'teams and total differ' as broken
from shown as teams
inner join shown as totals
    on
        teams.month = totals.month
        and teams.billing_currency = totals.billing_currency
        and teams.tag_key = totals.tag_key
        and teams.scope = 'team'
        and totals.scope = 'total'
where teams.covered_cost <> totals.covered_cost or teams.taggable_cost <> totals.taggable_cost
