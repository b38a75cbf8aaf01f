-- When a subject went from experiment to production: the first day of at least a week of usage that costs more as
-- production than as experiment, after at least a week of the contrary. Shorter stretches are noise and left out.
-- Days are those with usage, so that a quiet weekend ends no stretch.
with stances as (
    select
        subject_kind,
        subject,
        billing_currency,
        charge_date,
        case
            when
                sum(case when lifecycle = 'experiment' then usage_cost else 0 end)
                > sum(case when lifecycle = 'production' then usage_cost else 0 end)
                then 'experiment'
            when
                sum(case when lifecycle = 'experiment' then usage_cost else 0 end)
                < sum(case when lifecycle = 'production' then usage_cost else 0 end)
                then 'production'
        end as stance
    from {{ ref('int_subject_days_summed') }}
    group by subject_kind, subject, billing_currency, charge_date
),

numbered as (
    select
        *,
        row_number() over (partition by subject_kind, subject, billing_currency order by charge_date)
        - row_number() over (partition by subject_kind, subject, billing_currency, stance order by charge_date)
            as stretch
    from stances
    where stance is not null
),

stretches as (
    select
        subject_kind,
        subject,
        billing_currency,
        stance,
        min(charge_date) as first_date,
        max(charge_date) as last_date
    from numbered
    group by subject_kind, subject, billing_currency, stance, stretch
    having count(*) >= 7
),

followed as (
    select
        *,
        lag(stance) over (partition by subject_kind, subject, billing_currency order by first_date) as stance_before,
        lag(last_date) over (partition by subject_kind, subject, billing_currency order by first_date) as date_before
    from stretches
)

select
    subject_kind,
    subject,
    first_date as promoted_on,
    max(date_before) as last_experiment_date
from followed
where stance = 'production' and stance_before = 'experiment'
group by subject_kind, subject, first_date
