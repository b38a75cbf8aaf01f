-- Charges of tokens with their number. Where the bill names none, as Anthropic's does, the vendor's own count of the
-- same day, project, model, tier and kind stands in, if those charges are all of one owner and currency. Every charge
-- of tokens is here.
with billed as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        x_model,
        x_token_kind,
        x_service_tier,
        model,
        team,
        use_case,
        billing_currency,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        sum(tokens) as tokens
    from {{ ref('int_charges_attributed') }}
    where x_token_kind is not null
    group by
        charge_date, service_provider_name, billing_account_id, sub_account_id, x_model, x_token_kind, x_service_tier,
        model, team, use_case, billing_currency
),

counted as (
    select
        *,
        count(*) over (
            partition by
                charge_date, service_provider_name, billing_account_id, sub_account_id, x_model, x_token_kind,
                x_service_tier
        ) as owners
    from billed
)

select
    counted.charge_date,
    counted.service_provider_name,
    counted.billing_account_id,
    counted.sub_account_id,
    counted.x_model,
    counted.x_token_kind,
    counted.x_service_tier,
    counted.model,
    counted.team,
    counted.use_case,
    counted.billing_currency,
    counted.billed_cost,
    counted.effective_cost,
    coalesce(counted.tokens, used.tokens) as tokens,
    case
        when counted.tokens is not null then 'bill'
        when used.tokens is not null then 'usage'
        else 'unknown'
    end as token_source
from counted
left join {{ ref('int_usage_tokens_summed') }} as used
    on
        counted.tokens is null
        and counted.owners = 1
        and counted.charge_date = used.charge_date
        and counted.service_provider_name = used.service_provider_name
        and counted.billing_account_id = used.billing_account_id
        and coalesce(counted.sub_account_id, '') = coalesce(used.sub_account_id, '')
        and coalesce(counted.x_model, '') = coalesce(used.x_model, '')
        and counted.x_token_kind = used.x_token_kind
        and coalesce(counted.x_service_tier, '') = coalesce(used.x_service_tier, '')
