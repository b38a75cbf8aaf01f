-- How much each team used of each driver in each month: the billing month of what the bill says, the month of use of
-- the rest. Only effective_cost depends on a currency; it is a team's own cost, without what the pool of a service or
-- of a kind of charge has.
with gpu_seconds as (
    select
        cast(usage_start as date) as charge_date,
        team,
        coalesce(device_fraction, 1) * {{ dbt.datediff('usage_start', 'usage_end', 'second') }} as seconds -- noqa: LT05
    from {{ ref('stg_gpu_utilization') }}
    where team is not null
)

select
    'tokens' as driver,
    {{ month_text('charge_date') }} as month,
    team,
    cast(null as string) as billing_currency,
    sum(tokens) as quantity
from {{ ref('int_token_charges_counted') }}
group by {{ month_text('charge_date') }}, team

union all

select
    'requests' as driver,
    {{ month_text('requests.charge_date') }} as month,
    attributed.team,
    cast(null as string) as billing_currency,
    cast(sum(requests.requests) as decimal(38, 18)) as quantity
from {{ ref('int_requests_summed') }} as requests
inner join {{ ref('int_subjects_attributed') }} as attributed
    on requests.subject_key = attributed.subject_key and requests.rules_as_of = attributed.rules_as_of
where attributed.team is not null
group by {{ month_text('requests.charge_date') }}, attributed.team

union all

select
    'gpu_hours' as driver,
    {{ month_text('charge_date') }} as month,
    team,
    cast(null as string) as billing_currency,
    {{ as_amount('cast(sum(seconds) as double) / 3600') }} as quantity
from gpu_seconds
group by {{ month_text('charge_date') }}, team

{% for unit in ['seconds', 'bytes'] %}
union all

select
    '{{ unit }}' as driver,
    billing_month as month,
    team,
    cast(null as string) as billing_currency,
    sum({{ unit }}_used) as quantity
from {{ ref('int_charges_attributed') }}
where {{ unit }}_used is not null
group by billing_month, team

{% endfor %}
union all

select
    'effective_cost' as driver,
    billing_month as month,
    team,
    billing_currency,
    sum(effective_cost) as quantity
from {{ ref('int_charges_pooled') }}
where pool_field is null or pool_field = 'team'
group by billing_month, team, billing_currency
