-- What a million tokens cost, by kind of token. Every token charge on the bill is in exactly one row, with the team
-- that caused it: pools are not split here, because a share of a pool has cost but no tokens.
-- Charges whose tokens nobody counted stand in rows of their own, so that they raise no other's cost per token.
with monthly as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        model,
        x_token_kind as token_kind,
        coalesce(x_service_tier, 'unknown') as service_tier,
        team,
        use_case,
        billing_currency,
        token_source,
        cast(sum(tokens) as decimal(38, 6)) as tokens,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost
    from {{ ref('int_token_charges_counted') }}
    group by
        {{ month_text('charge_date') }}, service_provider_name, model, x_token_kind,
        coalesce(x_service_tier, 'unknown'), team, use_case, billing_currency, token_source
),

covered as (
    select
        *,
        sum(case when tokens is null then 0 else effective_cost end) over (
            partition by month, service_provider_name, model, token_kind, billing_currency
        ) as counted_cost,
        sum(effective_cost) over (
            partition by month, service_provider_name, model, token_kind, billing_currency
        ) as whole_cost
    from monthly
)

select
    month,
    service_provider_name,
    model,
    token_kind,
    service_tier,
    team,
    use_case,
    billing_currency,
    token_source,
    tokens,
    billed_cost,
    effective_cost,
    {{ ratio('effective_cost', 'tokens') }} * 1000000 as effective_cost_per_1m_tokens,
    {{ ratio('billed_cost', 'tokens') }} * 1000000 as billed_cost_per_1m_tokens,
    {{ ratio('counted_cost', 'whole_cost') }} as token_coverage
from covered
