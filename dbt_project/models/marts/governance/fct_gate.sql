-- What each gate of `finops check` found, the threshold it is held against, and whether it passed: shares of the last
-- days up to the data date, budgets of its month, the forecast's backtest, services in use, and sources that are
-- behind. A row without a subject is the gate's own answer, in a currency where it is about money; rows with one are
-- what it rests on. Where there is nothing to judge by, nothing has passed: is_passed is null.
with gates (gate, measure) as (
    select *
    from (
        values
        ('share unallocated', 'spend_unallocated'),
        ('share unpriced', 'unpriced_token_share'),
        ('lifecycle unknown', 'unknown_lifecycle_share'),
        ('experiment beside production', 'experiment_to_production'),
        ('budgets over', 'budgets_over'),
        ('budgets at risk', 'budgets_at_risk'),
        ('forecast error', 'backtest_error'),
        ('unapproved services', 'unapproved_services'),
        ('unexplained invoices', 'unexplained_invoices'),
        ('stale data', 'stopped_sources')
    )
),

limits as (
    select
        measure,
        value,
        unit,
        source,
        decided_by,
        row_number() over (
            partition by measure order by case when decided_by = 'plan' then 1 else 2 end, value, edition
        ) as choice
    from {{ ref('dim_threshold') }}
    where grade = 'limit'
),

settings as (
    select
        data_through,
        cast({{ limit_of('gate_window_days') }} as int) as window_days,
        {{ limit_of('gate_horizon_days') }} as horizon_days
    from {{ ref('int_data_date_found') }}
),

data_date as (
    select
        data_through,
        {{ month_text('data_through') }} as month,
        cast({{ dbt.dateadd('day', '1 - window_days', 'data_through') }} as date) as first_day,
        horizon_days
    from settings
),

allocated as (
    select
        costs.charge_date,
        costs.service_provider_name,
        costs.service_category,
        costs.service_name,
        costs.model,
        costs.charge_category,
        costs.allocation,
        costs.billing_currency,
        costs.effective_cost
    from {{ ref('fct_allocated_cost') }} as costs
    inner join data_date on costs.charge_date between data_date.first_day and data_date.data_through
),

lifecycles as (
    select
        costs.billing_currency,
        sum(costs.effective_cost) as effective_cost,
        sum(case when costs.lifecycle = 'experiment' then costs.effective_cost else 0 end) as experiment_cost,
        sum(case when costs.lifecycle = 'production' then costs.effective_cost else 0 end) as production_cost,
        sum(case when costs.lifecycle = 'unknown' then costs.effective_cost else 0 end) as unknown_cost
    from {{ ref('fct_lifecycle_cost') }} as costs
    inner join data_date on costs.charge_date between data_date.first_day and data_date.data_through
    group by costs.billing_currency
),

-- A day of a model without an estimate is unpriced; requests are not asked, because not every vendor counts them.
models as (
    select
        used.model,
        sum(used.tokens) as tokens,
        sum(case when used.estimated_cost is null then used.tokens else 0 end) as unpriced_tokens
    from {{ ref('fct_inference_unit_cost') }} as used
    inner join data_date on used.charge_date between data_date.first_day and data_date.data_through
    where used.tokens > 0
    group by used.model
),

priced as (
    select
        model,
        unpriced_tokens,
        sum(tokens) over () as all_tokens
    from models
),

budgets as (
    select status.*
    from {{ ref('fct_budget_status') }} as status
    inner join data_date on status.month = data_date.month
),

answered as (
    select distinct
        currency,
        model
    from {{ ref('fct_forecast') }}
    where scope = 'total'
),

tested as (
    select
        accuracy.currency,
        accuracy.model,
        accuracy.grade,
        accuracy.grade_edition,
        accuracy.wape
    from {{ ref('fct_forecast_accuracy') }} as accuracy
    inner join answered on accuracy.currency = answered.currency and accuracy.model = answered.model
    inner join data_date on accuracy.horizon_days = data_date.horizon_days
    where accuracy.scope = 'total'
),

-- Only usage and purchases of FOCUS's AI category want an approval.
used_services as (
    select
        service_provider_name,
        service_name,
        model,
        billing_currency,
        charge_date,
        sum(effective_cost) as effective_cost
    from allocated
    where service_category = 'AI and Machine Learning' and charge_category in ('Usage', 'Purchase')
    group by service_provider_name, service_name, model, billing_currency, charge_date
),

-- An approval without service or model covers all of them; a charge that names no model, such as a tool call, is
-- covered by any approval of its service.
unapproved as (
    select
        used.service_provider_name,
        used.service_name,
        used.model,
        used.billing_currency,
        min(used.charge_date) as first_date,
        sum(used.effective_cost) as effective_cost
    from used_services as used
    left join {{ ref('stg_approved_service') }} as approved
        on
            (approved.approved_on is null or used.charge_date >= approved.approved_on)
            and {{ name_key('used.service_provider_name') }} = {{ name_key('approved.service_provider_name') }}
            and (
                approved.service_name is null
                or {{ name_key('used.service_name') }} = {{ name_key('approved.service_name') }}
            )
            and (
                approved.model is null
                or used.model = 'unknown'
                or {{ name_key('used.model') }} = {{ name_key('approved.model') }}
            )
    where approved.service_provider_name is null
    group by used.service_provider_name, used.service_name, used.model, used.billing_currency
),

-- A list that approves nothing accuses nobody.
approvals as (
    select count(*) as approvals
    from {{ ref('stg_approved_service') }}
    having count(*) > 0
),

accused as (
    select count(distinct concat(service_provider_name, '/', service_name, '/', model)) as services
    from unapproved
),

-- Charges that no invoice is known for cannot be compared with one.
invoices as (
    select
        invoice_id,
        month,
        coalesce(invoice_issuer, 'an issuer nobody names') as invoice_issuer,
        billing_currency,
        stated_by,
        unexplained_gap,
        stated_amount,
        case when status = 'unexplained' then 1 else 0 end as is_unexplained
    from {{ ref('fct_invoice_gap') }}
    where stated_by <> 'nothing'
),

-- Sources that should report every day, or as often as they used to; what has ended is no longer waited for.
sources as (
    select
        dataset,
        concat(
            case
                when service_provider_name is null then source
                else concat(service_provider_name, ' (', source, ')')
            end,
            case when billing_account_id is null then '' else concat(', account ', billing_account_id) end
        ) as named,
        last_date,
        days_behind,
        status,
        concat(
            'usually every ',
            case usual_gap_days when 1 then 'day' else concat(cast(usual_gap_days as string), ' days') end
        ) as habit
    from {{ ref('fct_data_freshness') }}
    where days_behind is not null and status <> 'ended'
),

found as (
    select
        'share unallocated' as gate,
        billing_currency,
        cast(null as string) as subject,
        cast(null as string) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        sum(case when allocation in ('unallocated', 'unregistered') then effective_cost else 0 end) as part,
        sum(effective_cost) as whole,
        {{ ratio(
            "sum(case when allocation in ('unallocated', 'unregistered') then effective_cost else 0 end)",
            'sum(effective_cost)'
        ) }} as value
    from allocated
    group by billing_currency

    union all

    select
        'share unpriced' as gate,
        cast(null as string) as billing_currency,
        cast(null as string) as subject,
        cast(null as string) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        cast(sum(unpriced_tokens) as decimal(38, 18)) as part,
        cast(max(all_tokens) as decimal(38, 18)) as whole,
        {{ ratio('sum(unpriced_tokens)', 'max(all_tokens)') }} as value
    from priced
    having count(*) > 0

    union all

    select
        'share unpriced' as gate,
        cast(null as string) as billing_currency,
        model as subject,
        cast(null as string) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        cast(unpriced_tokens as decimal(38, 18)) as part,
        cast(all_tokens as decimal(38, 18)) as whole,
        {{ ratio('unpriced_tokens', 'all_tokens') }} as value
    from priced
    where unpriced_tokens > 0

    union all

    select
        'lifecycle unknown' as gate,
        billing_currency,
        cast(null as string) as subject,
        cast(null as string) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        unknown_cost as part,
        effective_cost as whole,
        {{ ratio('unknown_cost', 'effective_cost') }} as value
    from lifecycles

    union all

    select
        'experiment beside production' as gate,
        billing_currency,
        cast(null as string) as subject,
        cast(null as string) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        experiment_cost as part,
        production_cost as whole,
        {{ ratio('experiment_cost', 'production_cost') }} as value
    from lifecycles

    {% set unjudged %}
case
            when count(*) > count(expected_cost)
                then concat(
                    cast(count(*) - count(expected_cost) as string), ' of ', cast(count(*) as string), ' budgets ',
                    case when count(*) - count(expected_cost) = 1 then 'has' else 'have' end, ' no expectation'
                )
        end
    {%- endset %}
    {% for gate, status, part, known, unjudged in [
        ('budgets over', 'over', 'actual_cost', 'budget_amount', 'cast(null as string)'),
        ('budgets at risk', 'at risk', 'expected_cost', 'expected_cost', unjudged),
    ] %}
    union all

    select
        '{{ gate }}' as gate,
        cast(null as string) as billing_currency,
        cast(null as string) as subject,
        {{ unjudged }} as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        cast(sum(case when status = '{{ status }}' then 1 else 0 end) as decimal(38, 18)) as part,
        cast(count({{ known }}) as decimal(38, 18)) as whole,
        cast(sum(case when status = '{{ status }}' then 1 else 0 end) as double) as value
    from budgets
    having count({{ known }}) > 0

    union all

    select
        '{{ gate }}' as gate,
        billing_currency,
        budget_name as subject,
        owner as detail,
        cast(null as date) as since,
        precedence,
        {{ part }} as part,
        budget_amount as whole,
        cast(null as double) as value
    from budgets
    where status = '{{ status }}'
    {% endfor %}

    union all

    select
        'forecast error' as gate,
        currency as billing_currency,
        cast(null as string) as subject,
        concat(model, coalesce(concat(', ', grade, ' of ', grade_edition), '')) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        cast(null as decimal(38, 18)) as part,
        cast(null as decimal(38, 18)) as whole,
        wape as value
    from tested

    union all

    select
        'unapproved services' as gate,
        cast(null as string) as billing_currency,
        cast(null as string) as subject,
        cast(null as string) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        cast(accused.services as decimal(38, 18)) as part,
        cast(approvals.approvals as decimal(38, 18)) as whole,
        cast(accused.services as double) as value
    from approvals
    cross join accused

    union all

    select
        'unapproved services' as gate,
        unapproved.billing_currency,
        concat(unapproved.service_provider_name, '/', unapproved.service_name, '/', unapproved.model) as subject,
        cast(null as string) as detail,
        unapproved.first_date as since,
        cast(null as bigint) as precedence,
        unapproved.effective_cost as part,
        cast(null as decimal(38, 18)) as whole,
        cast(null as double) as value
    from unapproved
    cross join approvals

    union all

    select
        'unexplained invoices' as gate,
        cast(null as string) as billing_currency,
        cast(null as string) as subject,
        cast(null as string) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        cast(sum(is_unexplained) as decimal(38, 18)) as part,
        cast(count(*) as decimal(38, 18)) as whole,
        cast(sum(is_unexplained) as double) as value
    from invoices
    having count(*) > 0

    union all

    select
        'unexplained invoices' as gate,
        billing_currency,
        concat(month, '/', invoice_issuer, '/', invoice_id) as subject,
        concat('stated by the ', stated_by) as detail,
        cast(null as date) as since,
        cast(null as bigint) as precedence,
        unexplained_gap as part,
        stated_amount as whole,
        cast(null as double) as value
    from invoices
    where is_unexplained = 1

    union all

    select
        'stale data' as gate,
        cast(null as string) as billing_currency,
        cast(null as string) as subject,
        concat(
            cast(count(*) as string), ' sources, ',
            cast(sum(case when status = 'late' then 1 else 0 end) as string), ' late'
        ) as detail,
        min(last_date) as since,
        cast(null as bigint) as precedence,
        cast(sum(case when status = 'stopped' then 1 else 0 end) as decimal(38, 18)) as part,
        cast(count(*) as decimal(38, 18)) as whole,
        cast(sum(case when status = 'stopped' then 1 else 0 end) as double) as value
    from sources
    having count(*) > 0

    union all

    select
        'stale data' as gate,
        cast(null as string) as billing_currency,
        concat(named, ', ', dataset) as subject,
        habit as detail,
        last_date as since,
        cast(null as bigint) as precedence,
        cast(days_behind as decimal(38, 18)) as part,
        cast(null as decimal(38, 18)) as whole,
        cast(null as double) as value
    from sources
    where status = 'stopped'
)

select
    gates.gate,
    found.billing_currency,
    found.subject,
    found.detail,
    found.since,
    found.precedence,
    found.value,
    limits.unit,
    limits.value as threshold,
    case
        when found.subject is not null and limits.unit = 'count' then false
        when found.value is not null then found.value <= limits.value
    end as is_passed,
    cast(found.part as decimal(38, 18)) as part,
    cast(found.whole as decimal(38, 18)) as whole,
    limits.decided_by,
    limits.source,
    data_date.data_through
from gates
inner join limits on gates.measure = limits.measure and limits.choice = 1
cross join data_date
left join found on gates.gate = found.gate
