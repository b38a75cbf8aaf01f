-- What each use case cost in each month and currency: its own charges, its part of the shared platforms' cost that its
-- team took over, and its part of what the plan says the team costs beside its bills. The driver is the use case's part
-- of its team's direct cost in the month; what of that has no use case takes its part, too. What nobody drives stays
-- with the use case that its charge names, and an organisation cost without one. Direct costs in several currencies
-- compare in the reporting currency, and without a rate only those in the currency that is split count.
with allocated as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        use_case,
        billing_currency,
        allocation = 'shared' as is_shared,
        allocation = 'direct' as is_direct,
        sum(effective_cost) as cost,
        sum(charge_count) as charge_count
    from {{ ref('int_costs_allocated') }}
    group by
        {{ month_text('charge_date') }}, team, use_case, billing_currency, allocation = 'shared', allocation = 'direct'
),

-- People are paid for the whole month, and for months to come: those are no cost yet.
organisation as (
    select
        costs.month,
        coalesce({{ name_key('costs.team') }}, 'unallocated') as team_name,
        costs.currency as billing_currency,
        sum(costs.amount) as cost
    from {{ ref('stg_organisation_cost') }} as costs
    inner join {{ ref('int_data_date_found') }} as data_date
        on costs.month <= {{ month_text('data_date.data_through') }}
    group by costs.month, coalesce({{ name_key('costs.team') }}, 'unallocated'), costs.currency
),

pools as (
    select
        month,
        {{ name_key('team') }} as team_name,
        use_case as origin_use_case,
        billing_currency,
        'shared' as part,
        cost,
        charge_count
    from allocated
    where is_shared

    union all

    select
        month,
        team_name,
        'unallocated' as origin_use_case,
        billing_currency,
        'organisation' as part,
        cost,
        0 as charge_count
    from organisation
),

direct as (
    select
        allocated.month,
        {{ name_key('allocated.team') }} as team_name,
        allocated.use_case,
        allocated.billing_currency,
        allocated.cost,
        rates.rate,
        min(allocated.billing_currency) over team_month = max(allocated.billing_currency) over team_month
        or count(*) over team_month = count(rates.rate) over team_month as is_comparable
    from allocated
    left join {{ ref('int_exchange_rates_chosen') }} as rates
        on allocated.month = rates.month and allocated.billing_currency = rates.billing_currency
    where allocated.is_direct
    window team_month as (partition by allocated.month, {{ name_key('allocated.team') }})
),

weights as (
    select
        wanted.month,
        wanted.team_name,
        wanted.billing_currency,
        direct.use_case,
        sum(
            case
                when direct.is_comparable then cast(direct.cost as double) * coalesce(cast(direct.rate as double), 1)
                when direct.billing_currency = wanted.billing_currency then cast(direct.cost as double)
            end
        ) as weight
    from (
        select distinct
            month,
            team_name,
            billing_currency
        from pools
    ) as wanted
    inner join direct on wanted.month = direct.month and wanted.team_name = direct.team_name
    group by wanted.month, wanted.team_name, wanted.billing_currency, direct.use_case
),

ratios as (
    select
        month,
        team_name,
        billing_currency,
        use_case,
        weight / sum(weight) over (partition by month, team_name, billing_currency) as ratio,
        row_number() over (partition by month, team_name, billing_currency order by use_case desc) = 1 as is_last
    from weights
    where weight > 0
),

shares as (
    select
        pools.*,
        coalesce(ratios.use_case, pools.origin_use_case) as use_case,
        coalesce(ratios.is_last, true) as is_last,
        {{ as_amount('cast(pools.cost as double) * ratios.ratio') }} as share
    from pools
    left join ratios
        on
            pools.month = ratios.month
            and pools.team_name = ratios.team_name
            and pools.billing_currency = ratios.billing_currency
),

residues as (
    select
        *,
        sum(case when is_last then cost else -share end) over (
            partition by month, team_name, origin_use_case, billing_currency, part
        ) as residue
    from shares
),

parts as (
    select
        use_case,
        month,
        billing_currency,
        'direct' as part,
        cost,
        charge_count
    from allocated
    where not is_shared

    union all

    select
        use_case,
        month,
        billing_currency,
        part,
        case when is_last then residue else share end as cost,
        case when is_last then charge_count else 0 end as charge_count
    from residues
)

select
    use_case,
    month,
    billing_currency,
    sum(case when part = 'direct' then cost end) as direct_cost,
    sum(case when part = 'shared' then cost end) as shared_cost,
    sum(case when part in ('direct', 'shared') then cost end) as effective_cost,
    sum(case when part = 'organisation' then cost end) as organisation_cost,
    cast(sum(charge_count) as bigint) as charge_count
from parts
group by use_case, month, billing_currency
