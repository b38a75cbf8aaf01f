-- Each charge of cached input beside what its tokens would have cost uncached: at the price that the same bill has for
-- uncached input of that day, account, model and tier. Null where that day has none, or nobody counted the tokens.
with uncached as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        coalesce(x_model, '') as x_model,
        coalesce(x_service_tier, '') as x_service_tier,
        billing_currency,
        {{ ratio('sum(effective_cost)', 'sum(tokens)') }} as uncached_price
    from {{ ref('int_token_charges_counted') }}
    where x_token_kind = 'input_uncached' and tokens > 0
    group by
        charge_date, service_provider_name, billing_account_id, coalesce(x_model, ''), coalesce(x_service_tier, ''),
        billing_currency
)

select
    cached.charge_date,
    cached.service_provider_name,
    cached.billing_account_id,
    cached.sub_account_id,
    cached.x_model,
    cached.x_service_tier,
    cached.x_token_kind as token_kind,
    cached.model,
    cached.team,
    cached.use_case,
    cached.billing_currency,
    cached.tokens,
    cached.effective_cost,
    {{ as_amount('cast(cached.tokens as double) * uncached.uncached_price') }} as uncached_cost
from {{ ref('int_token_charges_counted') }} as cached
left join uncached
    on
        cached.charge_date = uncached.charge_date
        and cached.service_provider_name = uncached.service_provider_name
        and cached.billing_account_id = uncached.billing_account_id
        and coalesce(cached.x_model, '') = uncached.x_model
        and coalesce(cached.x_service_tier, '') = uncached.x_service_tier
        and cached.billing_currency = uncached.billing_currency
where cached.x_token_kind in ('cache_read', 'cache_write_5m', 'cache_write_1h')
