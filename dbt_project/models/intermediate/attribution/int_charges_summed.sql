-- Charges added up per UTC day and everything that a rule or a mart looks at. No charge is lost or counted twice.
with daily as (
    select
        cast(charge_period_start as date) as charge_date,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        service_category,
        service_name,
        charge_category,
        resource_id,
        x_api_key_id,
        charge_description,
        tags,
        x_model,
        x_token_kind,
        x_service_tier,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        sum(contracted_cost) as contracted_cost,
        sum(list_cost) as list_cost,
        sum(case when x_token_kind is not null and consumed_unit = 'Tokens' then consumed_quantity end) as tokens,
        count(*) as charge_count
    from {{ ref('stg_cost_and_usage') }}
    group by
        cast(charge_period_start as date), service_provider_name, billing_account_id, sub_account_id,
        service_category, service_name, charge_category, resource_id, x_api_key_id, charge_description, tags,
        x_model, x_token_kind, x_service_tier, billing_currency
)

select
    daily.*,
    rules_by_day.rules_as_of,
    {{ subject_key() }} as subject_key
from daily
inner join {{ ref('int_rules_by_day') }} as rules_by_day on daily.charge_date = rules_by_day.charge_date
