-- What caching saved each month: tokens read from a cache at the uncached price minus what they cost, and what writing
-- them cost above that price.
with saved as (
    select
        *,
        {{ exact_difference('uncached_cost', 'effective_cost') }} as saving
    from {{ ref('int_cached_tokens_priced') }}
)

select
    {{ month_text('charge_date') }} as month,
    service_provider_name,
    model,
    team,
    use_case,
    billing_currency,
    sum(case when token_kind = 'cache_read' then saving end) as cache_read_saving,
    sum(case when token_kind <> 'cache_read' then -saving end) as cache_write_premium,
    sum(saving) as cache_saving,
    sum(case when saving is null then effective_cost end) as cache_cost_without_price
from saved
group by {{ month_text('charge_date') }}, service_provider_name, model, team, use_case, billing_currency
