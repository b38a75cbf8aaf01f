-- What one unit of each currency billed in a month is worth in the reporting currency that the plan names for the
-- month. The general exchange rate that began last by the month's last day, whichever way round it is stated: the other
-- way it is 1 over it. One row per month and currency, with a reason where there is no rate.
with billed as (
    select distinct
        month,
        {{ dbt.last_day("cast(concat(month, '-01') as date)", 'month') }} as last_day,
        billing_currency
    from (
        select
            {{ month_text('charge_date') }} as month,
            billing_currency
        from {{ ref('int_charges_summed') }}
    ) as months
),

named as (
    select
        billed.month,
        billed.last_day,
        billed.billing_currency,
        assumptions.currency as reporting_currency,
        row_number() over (
            partition by billed.month, billed.billing_currency
            order by coalesce(assumptions.valid_from, cast('1900-01-01' as date)) desc, assumptions.x_source_row desc
        ) as named_rank
    from billed
    left join {{ ref('stg_assumption') }} as assumptions
        on
            assumptions.name = 'reporting_currency'
            and (assumptions.valid_from is null or billed.last_day >= assumptions.valid_from)
),

rates as (
    {{ exchange_rates() | indent(4) }}
),

ranked as (
    select
        named.month,
        named.billing_currency,
        named.reporting_currency,
        rates.rate,
        rates.valid_from,
        rates.evidence,
        row_number() over (
            partition by named.month, named.billing_currency
            order by
                coalesce(rates.valid_from, cast('1900-01-01' as date)) desc,
                case when rates.is_stated then 1 else 2 end,
                rates.x_source_row desc
        ) as rate_rank
    from named
    left join rates
        on
            named.billing_currency = rates.from_currency
            and named.reporting_currency = rates.to_currency
            and rates.use_case is null
            and (rates.valid_from is null or named.last_day >= rates.valid_from)
            and named.billing_currency <> named.reporting_currency
    where named.named_rank = 1
)

select
    month,
    billing_currency,
    reporting_currency,
    case when billing_currency = reporting_currency then cast(1 as decimal(38, 18)) else rate end as rate,
    valid_from as rate_valid_from,
    evidence as rate_evidence,
    case
        when reporting_currency is null then 'the plan names no reporting currency'
        when billing_currency <> reporting_currency and rate is null
            then concat('the plan has no exchange rate of ', billing_currency, ' and ', reporting_currency)
    end as reason
from ranked
where rate_rank = 1
