-- Every cost after allocation: a team's own, its shares of pools, and what nobody could be found for.
-- Pools are split in up to three stages, to the last digit: one that receives from no other in the first, one that
-- receives from it in the second or third. Each pool appears only as its shares, and what one passed on to another only
-- as the shares of that. Where the plan registers teams, what is of another team is of nobody who is
-- known to answer for it: unregistered, however it came there.
-- While it is split a cost is only its key, its pool and one amount a row; what it is of is added again at the end.
with pooled as (
    select
        *,
        {{ row_key([
            'charge_date', 'billing_month', 'is_closed', 'model', 'environment', 'project', 'application',
            'use_case', 'product', 'service_provider_name', 'service_category', 'service_name',
            'charge_category', 'charge_kind', 'lifecycle', 'lifecycle_evidence', 'persistence',
            'persistence_evidence', 'billing_currency'
        ]) }} as cost_key
    from {{ ref('int_charges_pooled') }}
),

measures (measure) as (
    select *
    from (
        values
        ('billed_cost'),
        ('effective_cost'),
        ('commitment_saving'),
        ('estimated_cost'),
        ('estimated_margin'),
        ('spread_cost'),
        ('standing_cost'),
        ('charge_count')
    )
),

amounts as (
    select
        pooled.cost_key,
        pooled.charge_date,
        pooled.billing_month,
        pooled.billing_currency,
        pooled.team as origin_team,
        pooled.pool,
        pooled.allocation_rule,
        pooled.driver,
        pooled.stage,
        measures.measure,
        case measures.measure
            when 'billed_cost' then pooled.billed_cost
            when 'effective_cost' then pooled.effective_cost
            when 'commitment_saving' then pooled.commitment_saving
            when 'estimated_cost' then pooled.estimated_cost
            when 'estimated_margin' then pooled.estimated_margin
            when 'spread_cost' then pooled.spread_cost
            when 'standing_cost' then pooled.standing_cost
            else cast(pooled.charge_count as decimal(38, 18))
        end as amount
    from pooled
    cross join measures
    where pooled.pool is not null
),

-- Teams that are pools themselves.
receivers as (
    select distinct
        charge_date,
        pool_value as team,
        stage,
        pool,
        rule_id,
        driver
    from {{ ref('int_pools_by_day') }}
    where pool_field = 'team' and pool_value <> 'unallocated' and stage is not null
),

{{ split_stage('first', 1, []) }},

{{ split_stage('second', 2, ['first']) }},

{{ split_stage('third', 3, ['first', 'second']) }},

shares as (
    select * from first_shares
    where next_stage is null
    union all
    select * from second_shares
    where next_stage is null
    union all
    select * from third_shares
    where next_stage is null
),

shared as (
    select
        cost_key,
        charge_date,
        team,
        origin_team,
        pool,
        allocation_rule,
        allocation_path,
        driver,
        driver_quantity,
        driver_ratio,
        sum(case when measure = 'billed_cost' then amount end) as billed_cost,
        sum(case when measure = 'effective_cost' then amount end) as effective_cost,
        sum(case when measure = 'commitment_saving' then amount end) as commitment_saving,
        sum(case when measure = 'estimated_cost' then amount end) as estimated_cost,
        sum(case when measure = 'estimated_margin' then amount end) as estimated_margin,
        sum(case when measure = 'spread_cost' then amount end) as spread_cost,
        sum(case when measure = 'standing_cost' then amount end) as standing_cost,
        cast(sum(case when measure = 'charge_count' then amount end) as bigint) as charge_count
    from shares
    group by
        cost_key, charge_date, team, origin_team, pool, allocation_rule, allocation_path, driver, driver_quantity,
        driver_ratio
),

described as (
    select distinct
        cost_key,
        charge_date,
        billing_month,
        is_closed,
        model,
        environment,
        project,
        application,
        use_case,
        product,
        service_provider_name,
        service_category,
        service_name,
        charge_category,
        charge_kind,
        lifecycle,
        lifecycle_evidence,
        persistence,
        persistence_evidence,
        billing_currency
    from pooled
    where pool is not null
),

consumers as (
    select
        periods.rules_as_of,
        periods.valid_to,
        decided.consumer_team,
        decided.cost_center,
        decided.business_unit
    from {{ ref('int_subjects_attributed') }} as decided
    inner join {{ ref('stg_rule_period') }} as periods on decided.rules_as_of = periods.rules_as_of
    where decided.consumer_team is not null
),

costs as (
    select
        charge_date,
        billing_month,
        is_closed,
        model,
        environment,
        project,
        application,
        use_case,
        product,
        team,
        cost_center,
        business_unit,
        team_evidence,
        service_provider_name,
        service_category,
        service_name,
        charge_category,
        charge_kind,
        lifecycle,
        lifecycle_evidence,
        persistence,
        persistence_evidence,
        billing_currency,
        team as origin_team,
        cast(null as string) as pool,
        cast(null as string) as allocation_rule,
        cast(null as string) as allocation_path,
        cast(null as string) as driver,
        cast(null as decimal(38, 18)) as driver_quantity,
        cast(null as double) as driver_ratio,
        billed_cost,
        effective_cost,
        commitment_saving,
        estimated_cost,
        estimated_margin,
        spread_cost,
        standing_cost,
        charge_count
    from pooled
    where pool is null

    union all

    select
        described.charge_date,
        described.billing_month,
        described.is_closed,
        described.model,
        described.environment,
        described.project,
        described.application,
        described.use_case,
        described.product,
        shared.team,
        coalesce(consumers.cost_center, 'unallocated') as cost_center,
        coalesce(consumers.business_unit, 'unallocated') as business_unit,
        case when shared.team = 'unallocated' then 'none' else concat('shared:', shared.allocation_rule) end
            as team_evidence,
        described.service_provider_name,
        described.service_category,
        described.service_name,
        described.charge_category,
        described.charge_kind,
        described.lifecycle,
        described.lifecycle_evidence,
        described.persistence,
        described.persistence_evidence,
        described.billing_currency,
        shared.origin_team,
        shared.pool,
        shared.allocation_rule,
        shared.allocation_path,
        shared.driver,
        shared.driver_quantity,
        shared.driver_ratio,
        shared.billed_cost,
        shared.effective_cost,
        shared.commitment_saving,
        shared.estimated_cost,
        shared.estimated_margin,
        shared.spread_cost,
        shared.standing_cost,
        shared.charge_count
    from shared
    inner join described on shared.cost_key = described.cost_key
    left join consumers
        on shared.team = consumers.consumer_team and {{ in_period('shared.charge_date', 'consumers') }}
),

registered as (
    select distinct subject as team
    from {{ ref('stg_owner') }}
    where subject_kind = 'team'
),

registers as (
    select count(*) as teams
    from registered
)

select
    costs.*,
    case
        when costs.team = 'unallocated' then 'unallocated'
        when registered.team is null and registers.teams > 0 then 'unregistered'
        when costs.pool is null then 'direct'
        else 'shared'
    end as allocation
from costs
cross join registers
left join registered on costs.team = registered.team
