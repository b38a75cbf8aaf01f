-- Why tokens cost more or less than the month before, one row per month in which either cost something; the first month
-- of all has nothing to be compared with. A model that is new or has ended is an effect of its own, so is cost whose
-- tokens nobody counted; of the rest price is what the tokens cost more than before, volume what the cost would have
-- changed with all tokens of the vendor alike, and mix what remains: the effects of a row add up to its whole change to
-- the last digit. Changes are sums of both sides, because Spark drops a digit where it subtracts wide decimals.
with monthly as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        model,
        x_token_kind as token_kind,
        coalesce(x_service_tier, 'unknown') as service_tier,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(case when tokens > 0 then effective_cost end) as counted_cost,
        sum(case when tokens > 0 then tokens end) as tokens
    from {{ ref('int_token_charges_counted') }}
    group by
        {{ month_text('charge_date') }}, service_provider_name, model, x_token_kind,
        coalesce(x_service_tier, 'unknown'), billing_currency
),

bounds as (
    select
        min(month) as first_month,
        max(month) as last_month
    from monthly
),

sides as (
    select
        month,
        service_provider_name,
        model,
        token_kind,
        service_tier,
        billing_currency,
        'after' as side,
        effective_cost,
        counted_cost,
        tokens
    from monthly
    union all
    select
        {{ month_text(dbt.dateadd('month', 1, "cast(concat(month, '-01') as date)")) }} as month,
        service_provider_name,
        model,
        token_kind,
        service_tier,
        billing_currency,
        'before' as side,
        effective_cost,
        counted_cost,
        tokens
    from monthly
),

compared as (
    select
        sides.month,
        sides.service_provider_name,
        sides.model,
        sides.token_kind,
        sides.service_tier,
        sides.billing_currency,
        sum(case when sides.side = 'before' then sides.effective_cost end) as cost_before,
        sum(case when sides.side = 'after' then sides.effective_cost end) as cost_after,
        sum(case when sides.side = 'before' then -sides.effective_cost else sides.effective_cost end) as change,
        sum(case when sides.side = 'before' then sides.counted_cost end) as counted_cost_before,
        sum(case when sides.side = 'after' then sides.counted_cost end) as counted_cost_after,
        coalesce(
            sum(case when sides.side = 'before' then -sides.counted_cost else sides.counted_cost end),
            cast(0 as decimal(38, 18))
        ) as counted_change,
        sum(case when sides.side = 'before' then sides.tokens end) as tokens_before,
        sum(case when sides.side = 'after' then sides.tokens end) as tokens_after
    from sides
    cross join bounds
    where sides.month > bounds.first_month and sides.month <= bounds.last_month
    group by
        sides.month, sides.service_provider_name, sides.model, sides.token_kind, sides.service_tier,
        sides.billing_currency
),

known as (
    select
        *,
        case
            when count(cost_before) over (partition by month, service_provider_name, billing_currency, model) = 0
                then 'new model'
            when count(cost_after) over (partition by month, service_provider_name, billing_currency, model) = 0
                then 'ended model'
            else 'continuing'
        end as model_status
    from compared
),

totalled as (
    select
        *,
        cast(sum(case when model_status = 'continuing' then tokens_before end) over (
            partition by month, service_provider_name, billing_currency
        ) as double) as all_tokens_before,
        cast(sum(case when model_status = 'continuing' then coalesce(tokens_after, 0) end) over (
            partition by month, service_provider_name, billing_currency
        ) as double) as all_tokens_after
    from known
),

effects as (
    select
        *,
        case
            when model_status = 'continuing' and tokens_before > 0 and tokens_after > 0
                then {{ as_amount(
                    'cast(counted_cost_after as double) - cast(tokens_after as double)'
                    ~ ' * (cast(counted_cost_before as double) / cast(tokens_before as double))'
                ) }}
            else cast(0 as decimal(38, 18))
        end as price_effect,
        case
            when model_status = 'continuing' and tokens_before > 0 and all_tokens_before > 0
                then {{ as_amount('cast(counted_cost_before as double) * (all_tokens_after / all_tokens_before - 1)') }}
            else cast(0 as decimal(38, 18))
        end as volume_effect
    from totalled
)

select
    effects.month,
    effects.service_provider_name,
    effects.model,
    effects.token_kind,
    effects.service_tier,
    effects.billing_currency,
    effects.model_status,
    {{ dbt.last_day("cast(concat(effects.month, '-01') as date)", 'month') }} <= data_date.data_through as is_complete,
    effects.cost_before,
    effects.cost_after,
    cast(effects.tokens_before as decimal(38, 6)) as tokens_before,
    cast(effects.tokens_after as decimal(38, 6)) as tokens_after,
    effects.change,
    effects.price_effect,
    effects.volume_effect,
    case
        when effects.model_status = 'continuing'
            then {{ exact_difference(
                exact_difference('effects.counted_change', 'effects.price_effect'), 'effects.volume_effect'
            ) }}
        else cast(0 as decimal(38, 18))
    end as mix_effect,
    case
        when effects.model_status = 'new model' then effects.change else cast(0 as decimal(38, 18))
    end as new_model_effect,
    case
        when effects.model_status = 'ended model' then effects.change else cast(0 as decimal(38, 18))
    end as ended_model_effect,
    case
        when effects.model_status = 'continuing'
            then {{ exact_difference('effects.change', 'effects.counted_change') }}
        else cast(0 as decimal(38, 18))
    end as uncounted_effect
from effects
cross join {{ ref('int_data_date_found') }} as data_date
