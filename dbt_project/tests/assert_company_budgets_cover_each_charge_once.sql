-- What the budgets added up for the company have spent is the cost of the charges that any of them binds, each once.
with bound as (
    select
        company.month,
        company.billing_currency,
        sum(costs.effective_cost) as effective_cost
    from {{ ref('fct_company_budget') }} as company
    inner join {{ ref('fct_allocated_cost') }} as costs
        on
            company.month = {{ month_text('costs.charge_date') }}
            and company.billing_currency = costs.billing_currency
    where
        company.binds = 'everything'
        or exists (
            select 1
            from {{ ref('stg_budget') }} as budgets
            where
                budgets.month = company.month
                and budgets.currency = company.billing_currency
                and {{ name_key('budgets.team') }} = {{ name_key('costs.team') }}
                and budgets.product is null
                and budgets.use_case is null
                and budgets.service_name is null
                and budgets.lifecycle is null
        )
    group by company.month, company.billing_currency
)

select
    company.month,
    company.billing_currency,
    company.actual_cost,
    bound.effective_cost
from {{ ref('fct_company_budget') }} as company
left join bound on company.month = bound.month and company.billing_currency = bound.billing_currency
where company.actual_cost <> coalesce(bound.effective_cost, 0)
