-- What nobody owns, by month, and how much of it each rule that could be written would catch, the best first: a rule
-- for an account, a service, resources whose ids begin alike, or an API key. Candidates overlap: a charge is in one of
-- each kind. What pools leave needs a driver or a share instead: a row for each.
with pools as (
    select distinct
        charge_date,
        pool_field,
        pool_value
    from {{ ref('int_pools_by_day') }}
    where stage is not null and (pool_field <> 'team' or pool_value = 'unallocated')
),

charges as (
    select
        own.*,
        {{ month_text('own.charge_date') }} as month,
        regexp_replace(own.resource_id, '[-_/:.]?[^-_/:.]*$', '') as resource_prefix
    from {{ ref('int_charges_attributed') }} as own
    {% for field in ['charge_kind', 'service_name', 'team'] %}
    left join pools as of_{{ field }}
        on
            own.charge_date = of_{{ field }}.charge_date
            and {{ name_key('own.service_name') if field == 'service_name' else 'own.' ~ field }}
            = {{ name_key('of_service_name.pool_value') if field == 'service_name' else 'of_' ~ field ~ '.pool_value' }}
            and of_{{ field }}.pool_field = '{{ field }}'
    {% endfor %}
    where
        own.team = 'unallocated'
        and of_charge_kind.pool_field is null
        and of_service_name.pool_field is null
        and of_team.pool_field is null
),

candidates as (
    {% for field, operator, pattern in [
        ('billing_account_id', 'equals', 'billing_account_id'),
        ('sub_account_id', 'equals', 'sub_account_id'),
        ('service_name', 'equals', 'service_name'),
        ('resource_id', 'like', "case when length(resource_prefix) > 3 then concat(resource_prefix, '%') end"),
        ('api_key_id', 'equals', 'x_api_key_id'),
    ] %}
    select
        month,
        billing_currency,
        'no rule' as reason,
        '{{ field }}' as field,
        '{{ operator }}' as operator,
        {{ pattern }} as pattern,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        cast(sum(charge_count) as bigint) as charge_count
    from charges
    where {{ pattern }} is not null
    group by month, billing_currency, {{ pattern }}

    union all

    {% endfor %}
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        case when driver = 'fixed' then 'fixed shares below 1' else 'pool without usage' end as reason,
        'pool' as field,
        cast(null as string) as operator,
        pool as pattern,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        cast(sum(charge_count) as bigint) as charge_count
    from {{ ref('int_costs_allocated') }}
    where allocation = 'unallocated' and pool is not null
    group by
        {{ month_text('charge_date') }}, billing_currency, pool,
        case when driver = 'fixed' then 'fixed shares below 1' else 'pool without usage' end
),

totals as (
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        sum(effective_cost) as unallocated_cost
    from {{ ref('int_costs_allocated') }}
    where allocation = 'unallocated'
    group by {{ month_text('charge_date') }}, billing_currency
)

select
    candidates.month,
    candidates.billing_currency,
    cast(
        row_number() over (
            partition by candidates.month, candidates.billing_currency
            order by candidates.effective_cost desc, candidates.field asc, candidates.pattern asc
        ) as bigint
    ) as candidate_rank,
    candidates.reason,
    candidates.field,
    candidates.operator,
    candidates.pattern,
    candidates.billed_cost,
    candidates.effective_cost,
    candidates.charge_count,
    totals.unallocated_cost,
    {{ ratio('candidates.effective_cost', 'totals.unallocated_cost') }} as caught_ratio
from candidates
inner join totals
    on candidates.month = totals.month and candidates.billing_currency = totals.billing_currency
