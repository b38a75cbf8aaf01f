-- How much of the spend carries each tag key, of everything and by team, month by month, and whether it fell suddenly.
-- Only usage counts. What providers sell that never carry a tag cannot be covered; it stands beside the rest. The keys
-- are those that the plan's rules look at, and of the built-in ones those that any charge carries.
with costs as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        service_provider_name,
        billing_currency,
        subject_key,
        rules_as_of,
        sum(effective_cost) as effective_cost
    from {{ ref('int_charges_attributed') }}
    where charge_category = 'Usage'
    group by
        {{ month_text('charge_date') }}, team, service_provider_name, billing_currency, subject_key, rules_as_of
),

tag_fields as (
    select distinct
        subject_key,
        rules_as_of,
        tag_key
    from {{ ref('int_subject_fields_unpivoted') }}
    where field = 'tag'
),

carried_keys as (
    select distinct tag_key
    from tag_fields
),

tag_keys as (
    select distinct rules.tag_key
    from {{ ref('int_tag_rules_completed') }} as rules
    left join carried_keys on rules.tag_key = carried_keys.tag_key
    where rules.field = 'tag' and (rules.rule_rank = 1 or carried_keys.tag_key is not null)
),

tagging_providers as (
    select distinct costs.service_provider_name
    from costs
    inner join tag_fields on costs.subject_key = tag_fields.subject_key and costs.rules_as_of = tag_fields.rules_as_of
),

spend as (
    select
        costs.month,
        costs.team,
        costs.billing_currency,
        sum(costs.effective_cost) as effective_cost,
        sum(case when providers.service_provider_name is not null then costs.effective_cost else 0 end) as taggable_cost
    from costs
    left join tagging_providers as providers on costs.service_provider_name = providers.service_provider_name
    group by costs.month, costs.team, costs.billing_currency
),

covered as (
    select
        costs.month,
        costs.team,
        costs.billing_currency,
        tag_fields.tag_key,
        sum(costs.effective_cost) as covered_cost
    from costs
    inner join tag_fields on costs.subject_key = tag_fields.subject_key and costs.rules_as_of = tag_fields.rules_as_of
    group by costs.month, costs.team, costs.billing_currency, tag_fields.tag_key
),

by_team as (
    select
        spend.month,
        tag_keys.tag_key,
        spend.team,
        spend.billing_currency,
        spend.effective_cost,
        spend.taggable_cost,
        coalesce(covered.covered_cost, 0) as covered_cost
    from spend
    cross join tag_keys
    left join covered
        on
            spend.month = covered.month
            and spend.team = covered.team
            and spend.billing_currency = covered.billing_currency
            and tag_keys.tag_key = covered.tag_key
),

scopes as (
    select
        month,
        tag_key,
        'total' as scope,
        'all' as scope_value,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(taggable_cost) as taggable_cost,
        sum(covered_cost) as covered_cost
    from by_team
    group by month, tag_key, billing_currency

    union all

    select
        month,
        tag_key,
        'team' as scope,
        team as scope_value,
        billing_currency,
        effective_cost,
        taggable_cost,
        covered_cost
    from by_team
),

ratios as (
    select
        *,
        case when taggable_cost > 0 then {{ ratio('covered_cost', 'taggable_cost') }} end as coverage
    from scopes
),

compared as (
    select
        ratios.*,
        before.coverage as coverage_before
    from ratios
    left join ratios as before
        on
            ratios.tag_key = before.tag_key
            and ratios.scope = before.scope
            and ratios.scope_value = before.scope_value
            and ratios.billing_currency = before.billing_currency
            and before.month = {{ month_before('ratios.month') }}
)

select
    month,
    tag_key,
    scope,
    scope_value,
    billing_currency,
    effective_cost,
    taggable_cost,
    covered_cost,
    coverage,
    coverage_before,
    coverage - coverage_before as coverage_change,
    case
        when coverage is null then 'nothing that could be tagged'
        when coverage_before is null then 'no month before'
        when coverage_before - coverage >= {{ limit_of('tag_coverage_fall') }} then 'sudden fall'
        when coverage < coverage_before then 'lower'
        else 'held'
    end as finding
from compared
