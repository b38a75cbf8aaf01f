-- The FinOps Foundation's KPIs, by month, of the company and of each team, graded by every edition of its thresholds.
-- What cannot be told has no value and says why; it is never 0. What is estimated of days not reported yet stands
-- beside it and is in none of them. Variances and drifts are graded by their size.
-- Budgets, forecasts and returns are measured here, the rest before. A row without a team is the company's.
with spent as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(estimated_cost) as estimated_cost
    from {{ ref('int_costs_allocated') }}
    group by {{ month_text('charge_date') }}, team, billing_currency
),

spent_of_all as (
    select
        month,
        team,
        billing_currency,
        effective_cost,
        estimated_cost
    from spent
    union all
    select
        month,
        cast(null as string) as team,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(estimated_cost) as estimated_cost
    from spent
    group by month, billing_currency
),

forecast_days as (
    select
        days.forecast_id,
        days.data_through,
        days.generated_at,
        {{ month_text('days.charge_date') }} as month,
        days.charge_date,
        case when days.scope = 'team' then {{ registered_name("'team'", 'days.scope_value') }} end as team,
        days.currency as billing_currency,
        days.expected
    from {{ ref('stg_forecast') }} as days
),

forecast_months as (
    select
        forecast_id,
        month,
        team,
        billing_currency,
        sum(expected) as expected,
        data_through < cast(concat(month, '-01') as date)
        and count(distinct charge_date) = extract(
            day from {{ dbt.last_day("cast(concat(month, '-01') as date)", 'month') }}
        ) as is_whole,
        row_number() over (
            partition by month, team, billing_currency
            order by data_through desc, max(generated_at) desc, forecast_id desc
        ) as recency
    from forecast_days
    group by forecast_id, data_through, month, team, billing_currency
),

whole_forecasts as (
    select
        month,
        team,
        billing_currency,
        {{ as_amount('expected') }} as expected,
        row_number() over (partition by month, team, billing_currency order by recency) as choice
    from forecast_months
    where is_whole
),

-- Only days that both forecasts have can drift.
drifts as (
    select
        newest.month,
        newest.team,
        newest.billing_currency,
        sum(new_days.expected) as expected,
        sum(old_days.expected) as expected_before
    from forecast_months as newest
    inner join forecast_months as previous
        on
            newest.month = previous.month
            and coalesce(newest.team, '') = coalesce(previous.team, '')
            and newest.billing_currency = previous.billing_currency
            and previous.recency = 2
    inner join forecast_days as new_days
        on
            newest.forecast_id = new_days.forecast_id
            and newest.month = new_days.month
            and coalesce(newest.team, '') = coalesce(new_days.team, '')
            and newest.billing_currency = new_days.billing_currency
    inner join forecast_days as old_days
        on
            previous.forecast_id = old_days.forecast_id
            and new_days.charge_date = old_days.charge_date
            and coalesce(new_days.team, '') = coalesce(old_days.team, '')
            and new_days.billing_currency = old_days.billing_currency
    where newest.recency = 1
    group by newest.month, newest.team, newest.billing_currency
),

plans as (
    select
        'budget_variance' as kpi,
        month,
        team,
        billing_currency,
        variance as numerator,
        budget_amount as denominator
    from {{ ref('fct_budget_scope') }}
    where product is null and use_case is null and service_name is null and lifecycle is null
    union all
    select
        'forecast_accuracy' as kpi,
        forecasts.month,
        forecasts.team,
        forecasts.billing_currency,
        {{ exact_difference('forecasts.expected', "coalesce(spent.effective_cost, 0)") }} as numerator,
        forecasts.expected as denominator
    from whole_forecasts as forecasts
    left join spent_of_all as spent
        on
            forecasts.month = spent.month
            and coalesce(forecasts.team, '') = coalesce(spent.team, '')
            and forecasts.billing_currency = spent.billing_currency
    where forecasts.choice = 1
),

judged_plans as (
    select
        plans.*,
        {{ dbt.last_day("cast(concat(plans.month, '-01') as date)", 'month') }} <= data_date.data_through as is_over
    from plans
    cross join {{ ref('int_data_date_found') }} as data_date
),

figures as (
    select
        kpi,
        month,
        team,
        billing_currency,
        numerator,
        denominator,
        cast(null as string) as missing_reason
    from {{ ref('int_kpi_allocation_measured') }}
    union all
    select
        kpi,
        month,
        team,
        billing_currency,
        numerator,
        denominator,
        cast(null as string) as missing_reason
    from {{ ref('int_kpi_bill_measured') }}
    union all
    select
        kpi,
        month,
        team,
        billing_currency,
        numerator,
        denominator,
        cast(null as string) as missing_reason
    from {{ ref('int_kpi_ai_measured') }}
    union all
    select
        kpi,
        month,
        team,
        billing_currency,
        case when is_over then cast(numerator as decimal(38, 18)) end as numerator,
        case when is_over then cast(denominator as decimal(38, 18)) end as denominator,
        case when not is_over then 'the month is not over' end as missing_reason
    from judged_plans
    union all
    select
        'forecast_drift' as kpi,
        month,
        team,
        billing_currency,
        {{ as_amount('expected - expected_before') }} as numerator,
        {{ as_amount('expected_before') }} as denominator,
        cast(null as string) as missing_reason
    from drifts
    union all
    select
        'return_on_investment' as kpi,
        month,
        cast(null as string) as team,
        currency as billing_currency,
        cast(sum(margin) as decimal(38, 18)) as numerator,
        cast(sum(effective_cost) as decimal(38, 18)) as denominator,
        cast(null as string) as missing_reason
    from {{ ref('fct_use_case_value') }}
    where margin is not null
    group by month, currency
),

-- Every KPI of every month in which anything was spent. What was measured keeps its row even where nothing was spent in
-- its month and currency.
wanted as (
    select
        listed.kpi,
        spent.month,
        'company' as scope,
        cast(null as string) as team,
        case when listed.has_currency then spent.billing_currency end as billing_currency
    from {{ ref('kpis') }} as listed
    cross join spent
    union distinct
    select
        listed.kpi,
        spent.month,
        'team' as scope,
        spent.team,
        case when listed.has_currency then spent.billing_currency end as billing_currency
    from {{ ref('kpis') }} as listed
    cross join spent
    where listed.of_teams
    union distinct
    select
        kpi,
        month,
        case when team is null then 'company' else 'team' end as scope,
        team,
        billing_currency
    from figures
),

thresholds as (
    select
        measure,
        edition,
        max(case when grade = 'crawl' then value end) as crawl,
        max(case when grade = 'walk' then value end) as walk,
        max(case when grade = 'run' then value end) as run,
        max(case when grade = 'limit' then value end) as limit_value,
        max(case when grade = 'crawl' and is_beyond then 1 else 0 end) = 1 as is_beyond_crawl,
        max(case when grade = 'walk' and is_beyond then 1 else 0 end) = 1 as is_beyond_walk,
        max(case when grade = 'run' and is_beyond then 1 else 0 end) = 1 as is_beyond_run,
        case
            when min(source) < max(source) then concat(min(source), '; ', max(source))
            else min(source)
        end as threshold_source
    from {{ ref('dim_threshold') }}
    group by measure, edition
),

measured as (
    select
        wanted.*,
        listed.unit,
        listed.better,
        listed.note,
        figures.numerator,
        figures.denominator,
        {{ ratio('figures.numerator', 'figures.denominator') }} as value,
        case
            when wanted.billing_currency is not null
                then coalesce(spent.estimated_cost, cast(0 as decimal(38, 18)))
        end as estimated_cost,
        coalesce(figures.missing_reason, listed.missing_reason) as reason
    from wanted
    inner join {{ ref('kpis') }} as listed on wanted.kpi = listed.kpi
    left join figures
        on
            wanted.kpi = figures.kpi
            and wanted.month = figures.month
            and coalesce(wanted.team, '') = coalesce(figures.team, '')
            and coalesce(wanted.billing_currency, '') = coalesce(figures.billing_currency, '')
    left join spent_of_all as spent
        on
            wanted.month = spent.month
            and coalesce(wanted.team, '') = coalesce(spent.team, '')
            and wanted.billing_currency = spent.billing_currency
),

-- More is better, or less is: each turned so that the higher is the better.
graded as (
    select
        measured.*,
        thresholds.edition,
        thresholds.threshold_source,
        thresholds.crawl,
        thresholds.walk,
        thresholds.run,
        thresholds.is_beyond_crawl,
        thresholds.is_beyond_walk,
        thresholds.is_beyond_run,
        thresholds.limit_value,
        case when measured.better = 'more' then measured.value else -abs(measured.value) end as score,
        case when measured.better = 'more' then 1 else -1 end as direction
    from measured
    left join thresholds on measured.kpi = thresholds.measure
)

select
    kpi,
    edition,
    month,
    scope,
    team,
    billing_currency,
    unit,
    value,
    case
        when value is null or edition is null then null
        when score > direction * run or (score = direction * run and not is_beyond_run) then 'run'
        when score > direction * walk or (score = direction * walk and not is_beyond_walk) then 'walk'
        when score > direction * crawl or (score = direction * crawl and not is_beyond_crawl) then 'crawl'
        when crawl is not null then 'below crawl'
        when walk is not null then 'below walk'
        when run is not null then 'below run'
        when score >= direction * limit_value then 'within limit'
        else 'over limit'
    end as grade,
    threshold_source,
    numerator,
    denominator,
    estimated_cost,
    case when value is null then reason end as missing_reason,
    note
from graded
