-- What a million tokens cost at list price, by the counts of vendor, gateway or application: an estimate that is there
-- before the bill and for models that no bill names. All kinds of token together, because a request is priced whole.
-- Tokens without a price stand beside those with one, so that they lower no other's cost.
with monthly as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        model,
        service_tier,
        team,
        use_case,
        counted_by,
        estimated_cost_currency as estimated_currency,
        case when count(requests) = count(*) then cast(sum(requests) as bigint) end as requests,
        cast(sum(total_tokens) as bigint) as tokens,
        cast(sum(case when price_status = 'priced' then total_tokens end) as bigint) as priced_tokens,
        sum(estimated_cost) as estimated_cost
    from {{ ref('int_usage_attributed') }}
    group by
        {{ month_text('charge_date') }}, service_provider_name, model, service_tier, team, use_case, counted_by,
        estimated_cost_currency
)

select
    month,
    service_provider_name,
    model,
    service_tier,
    team,
    use_case,
    counted_by,
    estimated_currency,
    requests,
    tokens,
    priced_tokens,
    estimated_cost,
    {{ ratio('estimated_cost', 'priced_tokens') }} * 1000000 as estimated_cost_per_1m_tokens,
    {{ ratio(
        'sum(coalesce(priced_tokens, 0)) over (partition by month, service_provider_name, model)',
        'sum(tokens) over (partition by month, service_provider_name, model)'
    ) }} as price_coverage
from monthly
