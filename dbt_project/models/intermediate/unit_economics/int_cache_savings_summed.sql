-- What caching saved each month: tokens read from a cache at the uncached price minus what they cost, and what writing
-- them cost above that price. Sums, not differences, because Spark drops a digit where it subtracts wide decimals.
select
    {{ month_text('charge_date') }} as month,
    service_provider_name,
    model,
    team,
    use_case,
    billing_currency,
    sum(case when uncached_cost is not null and token_kind = 'cache_read' then amount end) as cache_read_saving,
    sum(case when uncached_cost is not null and token_kind <> 'cache_read' then -amount end) as cache_write_premium,
    sum(case when uncached_cost is not null then amount end) as cache_saving,
    sum(case when uncached_cost is null then -amount end) as cache_cost_without_price
from (
    select
        charge_date,
        service_provider_name,
        model,
        team,
        use_case,
        billing_currency,
        token_kind,
        uncached_cost,
        uncached_cost as amount
    from {{ ref('int_cached_tokens_priced') }}
    union all
    select
        charge_date,
        service_provider_name,
        model,
        team,
        use_case,
        billing_currency,
        token_kind,
        uncached_cost,
        -effective_cost as amount
    from {{ ref('int_cached_tokens_priced') }}
) as both_prices
group by {{ month_text('charge_date') }}, service_provider_name, model, team, use_case, billing_currency
