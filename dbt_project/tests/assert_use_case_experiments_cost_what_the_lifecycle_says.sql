-- Orphans, promotions and planned experiments that are a use case cost what fct_lifecycle_cost says of their days.
with spans as (
    select
        'orphan' as kind,
        subject as name,
        subject as use_case,
        billing_currency,
        'experiment' as only_lifecycle,
        cast(null as string) as not_lifecycle,
        idle_since as first_date,
        cast('9999-12-31' as date) as end_date,
        effective_cost_since as effective_cost
    from {{ ref('fct_orphaned_experiment') }}
    where subject_kind = 'use_case' and status <> 'unknown'
    union all
    select
        'promotion' as kind,
        concat(subject, ' ', cast(promoted_on as string)) as name,
        subject as use_case,
        billing_currency,
        cast(null as string) as only_lifecycle,
        cast(null as string) as not_lifecycle,
        promoted_on as first_date,
        cast({{ dbt.dateadd('day', 30, 'promoted_on') }} as date) as end_date,
        effective_cost_after as effective_cost
    from {{ ref('fct_lifecycle_promotion') }}
    where subject_kind = 'use_case'
    union all
    select
        'planned' as kind,
        experiment as name,
        use_case,
        billing_currency,
        cast(null as string) as only_lifecycle,
        'production' as not_lifecycle,
        cast('1900-01-01' as date) as first_date,
        cast('9999-12-31' as date) as end_date,
        effective_cost
    from {{ ref('fct_experiment_overrun') }}
    where tag_key is null and effective_cost is not null
)

select
    spans.kind,
    spans.name,
    spans.billing_currency,
    spans.effective_cost,
    sum(costs.effective_cost) as lifecycle_cost
from spans
left join {{ ref('fct_lifecycle_cost') }} as costs
    on
        spans.use_case = costs.use_case
        and spans.billing_currency = costs.billing_currency
        and spans.first_date <= costs.charge_date
        and spans.end_date > costs.charge_date
        and (spans.only_lifecycle is null or spans.only_lifecycle = costs.lifecycle)
        and (spans.not_lifecycle is null or spans.not_lifecycle <> costs.lifecycle)
group by spans.kind, spans.name, spans.billing_currency, spans.effective_cost
having spans.effective_cost <> coalesce(sum(costs.effective_cost), 0)
