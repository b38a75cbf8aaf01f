-- The line that holds for each use case, month, metric and currency: its own before the general one, then the latest
-- that had begun by the month's last day.
with spans as (
    select distinct
        {{ month_text('charge_date') }} as month,
        use_case
    from {{ ref('int_component_costs_summed') }}
    union distinct
    select
        month,
        use_case
    from {{ ref('int_outcomes_summed') }}
),

dated as (
    select
        month,
        use_case,
        {{ dbt.last_day("cast(concat(month, '-01') as date)", 'month') }} as last_day
    from spans
),

candidates as (
    select
        dated.month,
        dated.use_case,
        targets.metric,
        targets.currency,
        targets.threshold,
        row_number() over (
            partition by dated.month, dated.use_case, targets.metric, targets.currency
            order by
                case when targets.use_case is null then 2 else 1 end,
                coalesce(targets.valid_from, cast('1900-01-01' as date)) desc
        ) as candidate_rank
    from dated
    inner join {{ ref('stg_target') }} as targets
        on
            (targets.use_case is null or dated.use_case = targets.use_case)
            and (targets.valid_from is null or dated.last_day >= targets.valid_from)
)

select
    month,
    use_case,
    metric,
    currency,
    threshold
from candidates
where candidate_rank = 1
