-- Every experiment of the plan beside what it cost, and what it cost from its planned end on. What is production by
-- then does not count: an experiment that was promoted has ended. Before any pool is split; one row per experiment and
-- currency, without one where nothing was billed. To an experiment belong the subjects of its use case, those with its
-- tag, or, where the plan names both, those with both.
with matched as (
    select
        experiments.experiment,
        attributed.subject_key,
        attributed.rules_as_of
    from {{ ref('stg_experiment') }} as experiments
    inner join {{ ref('int_subjects_attributed') }} as attributed
        on experiments.use_case = attributed.use_case
    where experiments.tag_key is null

    union distinct

    select
        experiments.experiment,
        fields.subject_key,
        fields.rules_as_of
    from {{ ref('stg_experiment') }} as experiments
    inner join {{ ref('int_subject_fields_unpivoted') }} as fields
        on
            fields.field = 'tag'
            and {{ tag_key('experiments.tag_key') }} = fields.tag_key
            and (
                experiments.tag_value is null
                or {{ name_key('experiments.tag_value') }} = {{ name_key('fields.field_value') }}
            )
    left join {{ ref('int_subjects_attributed') }} as attributed
        on fields.subject_key = attributed.subject_key and fields.rules_as_of = attributed.rules_as_of
    where experiments.use_case is null or experiments.use_case = attributed.use_case
),

charged as (
    select
        matched.experiment,
        charges.billing_currency,
        charges.charge_date,
        sum(charges.effective_cost) as effective_cost
    from {{ ref('int_charges_attributed') }} as charges
    inner join matched
        on charges.subject_key = matched.subject_key and charges.rules_as_of = matched.rules_as_of
    where charges.lifecycle <> 'production'
    group by matched.experiment, charges.billing_currency, charges.charge_date
),

costs as (
    select
        charged.experiment,
        charged.billing_currency,
        min(charged.charge_date) as first_billed_on,
        max(charged.charge_date) as last_billed_on,
        sum(charged.effective_cost) as effective_cost,
        sum(
            case when charged.charge_date >= experiments.planned_end then charged.effective_cost else 0 end
        ) as effective_cost_past_end
    from charged
    inner join {{ ref('stg_experiment') }} as experiments on charged.experiment = experiments.experiment
    group by charged.experiment, charged.billing_currency
)

select
    experiments.experiment,
    experiments.use_case,
    experiments.tag_key,
    experiments.tag_value,
    experiments.owner,
    experiments.planned_start,
    experiments.planned_end,
    case
        when experiments.currency = costs.billing_currency or costs.billing_currency is null then experiments.budget
    end as budget,
    coalesce(costs.billing_currency, experiments.currency) as billing_currency,
    costs.first_billed_on,
    costs.last_billed_on,
    cast(costs.effective_cost as decimal(38, 18)) as effective_cost,
    case when experiments.planned_end is not null then cast(costs.effective_cost_past_end as decimal(38, 18)) end
        as effective_cost_past_end,
    cast(
        case
            when costs.last_billed_on >= experiments.planned_end
                then {{ dbt.datediff('experiments.planned_end', 'costs.last_billed_on', 'day') }} + 1 -- noqa: LT05
        end as bigint
    ) as days_past_end,
    case
        when experiments.currency = costs.billing_currency then costs.effective_cost > experiments.budget
    end as is_over_budget,
    case
        when costs.experiment is null then 'no spend'
        when experiments.planned_end is null then 'no end planned'
        when costs.last_billed_on >= experiments.planned_end then 'past its end'
        when experiments.planned_end <= data_date.data_through then 'ended'
        else 'running'
    end as status,
    data_date.data_through
from {{ ref('stg_experiment') }} as experiments
cross join {{ ref('int_data_date_found') }} as data_date
left join costs on experiments.experiment = costs.experiment
