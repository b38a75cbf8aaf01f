-- The FinOps Foundation's KPIs, by month, of the company and of each team, graded by every edition of its thresholds.
-- What cannot be told has no value and says why; it is never 0. What is estimated of days not reported yet stands
-- beside it and is in none of them. Variances and drifts are graded by their size.
{% set grades = ['crawl', 'walk', 'run'] %}

with figures as (
    {% for part in ['allocation', 'plan', 'bill', 'ai'] %}
    select
        kpi,
        month,
        team,
        billing_currency,
        numerator,
        denominator,
        missing_reason
    from {{ ref('int_kpi_' ~ part ~ '_measured') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

spent as (
    select distinct
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency
    from {{ ref('int_costs_allocated') }}
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

estimates as (
    select
        {{ month_text('charge_date') }} as month,
        team,
        billing_currency,
        sum(estimated_cost) as estimated_cost
    from {{ ref('int_costs_allocated') }}
    group by {{ month_text('charge_date') }}, team, billing_currency
    union all
    select
        {{ month_text('charge_date') }} as month,
        cast(null as string) as team,
        billing_currency,
        sum(estimated_cost) as estimated_cost
    from {{ ref('int_costs_allocated') }}
    group by {{ month_text('charge_date') }}, billing_currency
),

lines as (
    select
        measure,
        edition,
        {% for grade in grades + ['limit'] %}
        max(case when grade = '{{ grade }}' then value end) as {{ grade }}_line,
        {% endfor %}
        max(case when grade = 'crawl' and is_beyond then 1 else 0 end) = 1 as crawl_is_beyond,
        max(case when grade = 'walk' and is_beyond then 1 else 0 end) = 1 as walk_is_beyond,
        max(case when grade = 'run' and is_beyond then 1 else 0 end) = 1 as run_is_beyond,
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
                then coalesce(estimates.estimated_cost, cast(0 as decimal(38, 18)))
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
    left join estimates
        on
            wanted.month = estimates.month
            and coalesce(wanted.team, '') = coalesce(estimates.team, '')
            and wanted.billing_currency = estimates.billing_currency
),

graded as (
    select
        measured.*,
        lines.edition,
        lines.threshold_source,
        {% for grade in grades + ['limit'] %}
        lines.{{ grade }}_line,
        {% endfor %}
        {% for grade in grades %}
        case
            when measured.better = 'more' and lines.{{ grade }}_is_beyond then measured.value > lines.{{ grade }}_line
            when measured.better = 'more' then measured.value >= lines.{{ grade }}_line
            when lines.{{ grade }}_is_beyond then abs(measured.value) < lines.{{ grade }}_line
            else abs(measured.value) <= lines.{{ grade }}_line
        end as is_{{ grade }},
        {% endfor %}
        case
            when measured.better = 'more' then measured.value >= lines.limit_line
            else abs(measured.value) <= lines.limit_line
        end as is_within
    from measured
    left join lines on measured.kpi = lines.measure
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
        when is_run then 'run'
        when is_walk then 'walk'
        when is_crawl then 'crawl'
        when crawl_line is not null then 'below crawl'
        when walk_line is not null then 'below walk'
        when run_line is not null then 'below run'
        when is_within then 'within limit'
        else 'over limit'
    end as grade,
    threshold_source,
    numerator,
    denominator,
    estimated_cost,
    case when value is null then reason end as missing_reason,
    note
from graded
