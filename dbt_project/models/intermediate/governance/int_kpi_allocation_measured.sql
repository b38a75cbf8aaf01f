-- The KPIs of who owns what: allocated, unallocated and unregistered spend, apportionment, tags, experiments beside
-- production, and idle GPUs. A row without a team is the company's.
with allocated as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        allocation,
        lifecycle,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_costs_allocated') }}
    group by {{ month_text('charge_date') }}, team, allocation, lifecycle, billing_currency
),

billed as (
    select
        {{ month_text('charge_date') }} as month,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_charges_summed') }}
    group by {{ month_text('charge_date') }}, billing_currency
),

-- Providers whose bill carries no tags at all cannot comply or fail to.
tagging as (
    select distinct
        {{ month_text('charge_date') }} as month,
        service_provider_name
    from {{ ref('int_charges_summed') }}
    where tags is not null
),

tagged_subjects as (
    select distinct
        subject_key,
        rules_as_of
    from {{ ref('int_subject_fields_unpivoted') }}
    where field = 'tag' and tag_key = 'team'
),

tagged as (
    select
        tagging.month,
        charges.team,
        charges.billing_currency,
        sum(case when tagged_subjects.subject_key is not null then charges.effective_cost else 0 end) as numerator,
        sum(charges.effective_cost) as denominator
    from {{ ref('int_charges_attributed') }} as charges
    inner join tagging
        on
            {{ month_text('charges.charge_date') }} = tagging.month
            and charges.service_provider_name = tagging.service_provider_name
    left join tagged_subjects
        on
            charges.subject_key = tagged_subjects.subject_key
            and charges.rules_as_of = tagged_subjects.rules_as_of
    where charges.charge_category = 'Usage'
    group by tagging.month, charges.team, charges.billing_currency
),

gpus as (
    select
        month,
        team,
        billing_currency,
        sum(idle_days_cost) as effective_cost
    from {{ ref('fct_gpu_idle') }}
    where measured_days > 0
    group by month, team, billing_currency
),

-- Machines that several teams used count for the company, and for none of its teams.
gpus_of_all as (
    select
        month,
        billing_currency,
        sum(effective_cost) as effective_cost
    from gpus
    group by month, billing_currency
),

own as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency,
        sum(effective_cost) as effective_cost
    from {{ ref('int_charges_attributed') }}
    group by {{ month_text('charge_date') }}, team, billing_currency
),

idle as (
    select
        own.month,
        own.team,
        own.billing_currency,
        gpus.effective_cost as numerator,
        own.effective_cost as denominator
    from own
    left join gpus
        on own.month = gpus.month and own.team = gpus.team and own.billing_currency = gpus.billing_currency
),

of_teams as (
    select
        'tag_compliance' as kpi,
        month,
        team,
        billing_currency,
        numerator,
        denominator
    from tagged
    union all
    select
        'experiment_to_production' as kpi,
        month,
        team,
        billing_currency,
        sum(case when lifecycle = 'experiment' then effective_cost else 0 end) as numerator,
        sum(case when lifecycle = 'production' then effective_cost else 0 end) as denominator
    from allocated
    group by month, team, billing_currency
    union all
    select
        'idle_resource_share' as kpi,
        month,
        team,
        billing_currency,
        numerator,
        case when numerator is not null then denominator end as denominator
    from idle
),

of_company as (
    select
        'spend_allocated' as kpi,
        month,
        billing_currency,
        sum(case when allocation in ('direct', 'shared') then effective_cost else 0 end) as numerator,
        sum(effective_cost) as denominator
    from allocated
    group by month, billing_currency
    union all
    select
        'spend_unallocated' as kpi,
        month,
        billing_currency,
        sum(case when allocation = 'unallocated' then effective_cost else 0 end) as numerator,
        sum(effective_cost) as denominator
    from allocated
    group by month, billing_currency
    union all
    select
        'spend_unregistered' as kpi,
        month,
        billing_currency,
        sum(case when allocation = 'unregistered' then effective_cost else 0 end) as numerator,
        sum(effective_cost) as denominator
    from allocated
    where
        exists (
            select 1 as found from {{ ref('stg_owner') }} as owners
            where owners.subject_kind = 'team'
        )
    group by month, billing_currency
    union all
    select
        'apportionment' as kpi,
        billed.month,
        billed.billing_currency,
        sum(allocated.effective_cost) as numerator,
        max(billed.effective_cost) as denominator
    from billed
    left join allocated on billed.month = allocated.month and billed.billing_currency = allocated.billing_currency
    group by billed.month, billed.billing_currency
    union all
    select
        kpi,
        month,
        billing_currency,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from of_teams
    where kpi <> 'idle_resource_share'
    group by kpi, month, billing_currency
    union all
    select
        'idle_resource_share' as kpi,
        own.month,
        own.billing_currency,
        max(gpus_of_all.effective_cost) as numerator,
        case when count(gpus_of_all.effective_cost) > 0 then sum(own.effective_cost) end as denominator
    from own
    left join gpus_of_all
        on own.month = gpus_of_all.month and own.billing_currency = gpus_of_all.billing_currency
    group by own.month, own.billing_currency
),

stacked as (
    select
        kpi,
        month,
        team,
        billing_currency,
        numerator,
        denominator
    from of_teams
    union all
    select
        kpi,
        month,
        cast(null as string) as team,
        billing_currency,
        numerator,
        denominator
    from of_company
)

select
    kpi,
    month,
    team,
    billing_currency,
    cast(numerator as decimal(38, 18)) as numerator,
    cast(denominator as decimal(38, 18)) as denominator
from stacked
