-- What each use case cost on each day by lifecycle, and each resource or API key that has no use case or was both
-- experiment and production. Before any pool is split. `usage_cost` leaves purchases, taxes and credits out.
with charges as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        use_case,
        coalesce(resource_id, x_api_key_id) as billed_thing,
        team,
        lifecycle,
        lifecycle_evidence,
        billing_currency,
        case when charge_category = 'Usage' then effective_cost else 0 end as usage_cost,
        billed_cost,
        effective_cost
    from {{ ref('int_charges_attributed') }}
),

changing as (
    select billed_thing
    from charges
    where lifecycle <> 'unknown' and billed_thing is not null
    group by billed_thing
    having min(lifecycle) <> max(lifecycle)
),

subjects as (
    select
        *,
        'use_case' as subject_kind,
        use_case as subject
    from charges
    where use_case <> 'unallocated'
    union all
    select
        *,
        'resource' as subject_kind,
        billed_thing as subject
    from charges
    where
        (use_case = 'unallocated' and billed_thing is not null)
        or billed_thing in (select changing.billed_thing from changing)
)

select
    charge_date,
    subject_kind,
    subject,
    service_provider_name,
    billing_account_id,
    use_case,
    team,
    lifecycle,
    lifecycle_evidence,
    billing_currency,
    sum(usage_cost) as usage_cost,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost
from subjects
group by
    charge_date, subject_kind, subject, service_provider_name, billing_account_id, use_case, team, lifecycle,
    lifecycle_evidence, billing_currency
