-- Why the cost of each kind of token changed: a model that is new or has ended is an effect of its own, so is cost
-- whose tokens nobody counted; of the rest price is what the tokens cost more than before, and volume what the cost
-- would have changed with all tokens of the vendor alike. What remains is the mix, taken later as the residue.
{% set vendor = 'compared.month, compared.service_provider_name, compared.billing_currency' %}
{% set of_model = vendor ~ ', compared.model' %}

with known as (
    select
        compared.*,
        count(compared.cost_before) over (partition by {{ of_model }}) > 0 as model_was,
        count(compared.cost_after) over (partition by {{ of_model }}) > 0 as model_is
    from {{ ref('int_token_costs_compared') }} as compared
),

totalled as (
    select
        *,
        case
            when not model_was then 'new model'
            when not model_is then 'ended model'
            else 'continuing'
        end as model_status,
        cast(sum(case when model_was and model_is then tokens_before end) over (
            partition by month, service_provider_name, billing_currency
        ) as double) as all_tokens_before,
        cast(sum(case when model_was and model_is then coalesce(tokens_after, 0) end) over (
            partition by month, service_provider_name, billing_currency
        ) as double) as all_tokens_after
    from known
)

select
    month,
    service_provider_name,
    model,
    token_kind,
    service_tier,
    billing_currency,
    model_status,
    cost_before,
    cost_after,
    change,
    counted_change,
    tokens_before,
    tokens_after,
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
