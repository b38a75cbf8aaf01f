-- What teams cost before any pool is split, and which pool has it, with what days not reported yet are estimated to
-- cost. Of a charge that is in several pools its kind has it, then its service, then its team.
with pools as (
    select distinct
        charge_date,
        pool_field,
        pool_value,
        pool,
        rule_id,
        driver,
        stage
    from {{ ref('int_pools_by_day') }}
    where stage is not null
),

charges as (
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
        billed_cost,
        effective_cost,
        commitment_saving,
        cast(0 as decimal(38, 18)) as estimated_cost,
        cast(0 as decimal(38, 18)) as estimated_margin,
        case when is_spread then effective_cost else cast(0 as decimal(38, 18)) end as spread_cost,
        case
            when is_spread and is_recurring then effective_cost else cast(0 as decimal(38, 18))
        end as standing_cost,
        charge_count
    from {{ ref('int_charges_attributed') }}

    union all

    select
        charges.charge_date,
        charges.billing_month,
        false as is_closed,
        coalesce(attributed.model, 'unknown') as model,
        coalesce(attributed.environment, 'unknown') as environment,
        coalesce(attributed.project, 'unallocated') as project,
        coalesce(attributed.application, 'unallocated') as application,
        coalesce(attributed.use_case, 'unallocated') as use_case,
        coalesce(attributed.product, 'unallocated') as product,
        coalesce(attributed.team, 'unallocated') as team,
        coalesce(attributed.cost_center, 'unallocated') as cost_center,
        coalesce(attributed.business_unit, 'unallocated') as business_unit,
        coalesce(attributed.team_evidence, 'none') as team_evidence,
        charges.service_provider_name,
        charges.service_category,
        charges.service_name,
        charges.charge_category,
        charges.charge_kind,
        coalesce(classified.lifecycle, 'unknown') as lifecycle,
        coalesce(classified.lifecycle_evidence, 'none') as lifecycle_evidence,
        case
            when classified.persistence is not null then classified.persistence
            when charges.is_billed_persistently then 'persistent'
            else 'unknown'
        end as persistence,
        case
            when classified.persistence is not null then classified.persistence_evidence
            when charges.is_billed_persistently then 'days billed'
            else 'none'
        end as persistence_evidence,
        charges.billing_currency,
        cast(0 as decimal(38, 18)) as billed_cost,
        cast(0 as decimal(38, 18)) as effective_cost,
        cast(null as decimal(38, 18)) as commitment_saving,
        charges.estimated_cost,
        charges.estimated_margin,
        case when charges.is_spread then charges.estimated_cost else cast(0 as decimal(38, 18)) end as spread_cost,
        case when charges.is_spread then charges.estimated_cost else cast(0 as decimal(38, 18)) end as standing_cost,
        0 as charge_count
    from {{ ref('int_charges_estimated') }} as charges
    left join {{ ref('int_subjects_attributed') }} as attributed
        on charges.subject_key = attributed.subject_key and charges.rules_as_of = attributed.rules_as_of
    left join {{ ref('int_subjects_classified') }} as classified
        on charges.subject_key = classified.subject_key and charges.rules_as_of = classified.rules_as_of
),

placed as (
    select
        charges.*,
        coalesce(of_kind.pool, of_service.pool, of_team.pool) as pool,
        coalesce(of_kind.pool_field, of_service.pool_field, of_team.pool_field) as pool_field,
        coalesce(of_kind.rule_id, of_service.rule_id, of_team.rule_id) as allocation_rule,
        coalesce(of_kind.driver, of_service.driver, of_team.driver) as driver,
        coalesce(of_kind.stage, of_service.stage, of_team.stage) as stage
    from charges
    left join pools as of_kind
        on
            of_kind.pool_field = 'charge_kind'
            and charges.charge_date = of_kind.charge_date
            and charges.charge_kind = of_kind.pool_value
    left join pools as of_service
        on
            of_service.pool_field = 'service_name'
            and charges.charge_date = of_service.charge_date
            and {{ name_key('charges.service_name') }} = {{ name_key('of_service.pool_value') }}
    left join pools as of_team
        on
            of_team.pool_field = 'team'
            and charges.charge_date = of_team.charge_date
            and charges.team = of_team.pool_value
)

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
    pool,
    pool_field,
    allocation_rule,
    driver,
    stage,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    sum(commitment_saving) as commitment_saving,
    sum(estimated_cost) as estimated_cost,
    sum(estimated_margin) as estimated_margin,
    sum(spread_cost) as spread_cost,
    sum(standing_cost) as standing_cost,
    cast(sum(charge_count) as bigint) as charge_count
from placed
group by
    charge_date, billing_month, is_closed, model, environment, project, application, use_case, product, team,
    cost_center, business_unit, team_evidence, service_provider_name, service_category, service_name,
    charge_category, charge_kind, lifecycle, lifecycle_evidence, persistence, persistence_evidence,
    billing_currency, pool, pool_field, allocation_rule, driver, stage
