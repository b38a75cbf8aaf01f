-- Why tokens cost more or less than the month before: by price, volume and mix, by models that are new or have ended,
-- and by charges whose tokens nobody counted. The effects of a row add up to its whole change to the last digit.
{% set nothing = 'cast(0 as decimal(38, 18))' %}

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
        else {{ nothing }}
    end as mix_effect,
    case when effects.model_status = 'new model' then effects.change else {{ nothing }} end as new_model_effect,
    case when effects.model_status = 'ended model' then effects.change else {{ nothing }} end as ended_model_effect,
    case
        when effects.model_status = 'continuing'
            then {{ exact_difference('effects.change', 'effects.counted_change') }}
        else {{ nothing }}
    end as uncounted_effect
from {{ ref('int_token_effects_derived') }} as effects
cross join {{ ref('int_data_date_found') }} as data_date
