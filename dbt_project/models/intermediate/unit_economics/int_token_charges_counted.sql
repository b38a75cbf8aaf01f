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

owned as (
    select
        *,
        count(*) over (
            partition by
                charge_date, service_provider_name, billing_account_id, sub_account_id, x_model, x_token_kind,
                x_service_tier
        ) as owners
    from billed
),

kinds (x_token_kind) as (
    select *
    from (values ('input_uncached'), ('cache_read'), ('cache_write_5m'), ('cache_write_1h'), ('output'))
),

counted as (
    select
        cast(usage.usage_start as date) as charge_date,
        usage.vendor as service_provider_name,
        usage.account_id as billing_account_id,
        usage.project_id as sub_account_id,
        usage.model as x_model,
        kinds.x_token_kind,
        usage.service_tier as x_service_tier,
        cast(sum(case kinds.x_token_kind
            when 'input_uncached' then usage.input_uncached_tokens
            when 'cache_read' then usage.cache_read_tokens
            when 'cache_write_5m' then usage.cache_write_5m_tokens
            when 'cache_write_1h' then usage.cache_write_1h_tokens
            when 'output' then usage.output_tokens
        end) as decimal(38, 18)) as tokens
    from {{ ref('int_ai_usage_counted') }} as usage
    cross join kinds
    group by
        cast(usage.usage_start as date), usage.vendor, usage.account_id, usage.project_id, usage.model,
        kinds.x_token_kind, usage.service_tier
)

select
    owned.charge_date,
    owned.service_provider_name,
    owned.billing_account_id,
    owned.sub_account_id,
    owned.x_model,
    owned.x_token_kind,
    owned.x_service_tier,
    owned.model,
    owned.team,
    owned.use_case,
    owned.billing_currency,
    owned.billed_cost,
    owned.effective_cost,
    coalesce(owned.tokens, counted.tokens) as tokens,
    case
        when owned.tokens is not null then 'bill'
        when counted.tokens is not null then 'usage'
        else 'unknown'
    end as token_source
from owned
left join counted
    on
        owned.tokens is null
        and owned.owners = 1
        and owned.charge_date = counted.charge_date
        and owned.service_provider_name = counted.service_provider_name
        and owned.billing_account_id = counted.billing_account_id
        and coalesce(owned.sub_account_id, '') = coalesce(counted.sub_account_id, '')
        and coalesce(owned.x_model, '') = coalesce(counted.x_model, '')
        and owned.x_token_kind = counted.x_token_kind
        and coalesce(owned.x_service_tier, '') = coalesce(counted.x_service_tier, '')
