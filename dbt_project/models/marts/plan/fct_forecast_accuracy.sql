-- How wrong the latest forecast's models were on days they had not seen, graded by the edition of the plan's own
-- thresholds, else by the oldest, whose numbers are the Foundation's text. The Foundation grades the difference of a
-- period's total; WAPE adds up every day's error and is never smaller, so that the grade is never too kind.
with editions as (
    select
        edition,
        max(case when grade = 'crawl' then value end) as crawl,
        max(case when grade = 'walk' then value end) as walk,
        max(case when grade = 'run' then value end) as run,
        max(case when is_beyond then 1 else 0 end) = 1 as is_beyond,
        row_number() over (
            order by max(case when decided_by = 'plan' then 1 else 0 end) desc, edition
        ) as choice
    from {{ ref('dim_threshold') }}
    where measure = 'forecast_accuracy' and grade in ('crawl', 'walk', 'run')
    group by edition
)

select
    accuracy.forecast_id,
    accuracy.data_through,
    accuracy.scope,
    accuracy.scope_value,
    accuracy.currency,
    accuracy.model,
    accuracy.horizon_days,
    accuracy.folds,
    accuracy.wape,
    accuracy.bias,
    accuracy.coverage,
    accuracy.skill,
    case
        when accuracy.wape is null then null
        when accuracy.wape < editions.run or (accuracy.wape = editions.run and not editions.is_beyond) then 'run'
        when accuracy.wape < editions.walk or (accuracy.wape = editions.walk and not editions.is_beyond) then 'walk'
        when accuracy.wape < editions.crawl or (accuracy.wape = editions.crawl and not editions.is_beyond) then 'crawl'
        else 'below crawl'
    end as grade,
    editions.edition as grade_edition
from {{ ref('stg_forecast_accuracy') }} as accuracy
left join editions on editions.choice = 1
where accuracy.forecast_id = {{ latest_forecast() }}
