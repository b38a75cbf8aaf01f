-- Why tokens cost more or less than the month before: by price, volume and mix, by models that are new or have ended,
-- and by charges whose tokens nobody counted. The effects of a row add up to its whole change to the last digit.
{% set item = ['month', 'service_provider_name', 'model', 'token_kind', 'service_tier', 'billing_currency'] %}

with residues as (
    select
        {{ item | join(',\n        ') }},
        sum(mix) as mix_effect,
        sum(uncounted) as uncounted_effect
    from (
        select
            {{ item | join(',\n            ') }},
            counted_change as mix,
            change as uncounted
        from {{ ref('int_token_effects_derived') }}
        where model_status = 'continuing'
        union all
        select
            {{ item | join(',\n            ') }},
            -price_effect as mix,
            -counted_change as uncounted
        from {{ ref('int_token_effects_derived') }}
        where model_status = 'continuing'
        union all
        select
            {{ item | join(',\n            ') }},
            -volume_effect as mix,
            cast(0 as decimal(38, 18)) as uncounted
        from {{ ref('int_token_effects_derived') }}
        where model_status = 'continuing'
    ) as parts
    group by {{ item | join(', ') }}
)

select
    {% for column in item %}effects.{{ column }},
    {% endfor -%}
    effects.model_status,
    {{ dbt.last_day("cast(concat(effects.month, '-01') as date)", 'month') }} <= data_date.data_through as is_complete,
    effects.cost_before,
    effects.cost_after,
    cast(effects.tokens_before as decimal(38, 6)) as tokens_before,
    cast(effects.tokens_after as decimal(38, 6)) as tokens_after,
    effects.change,
    effects.price_effect,
    effects.volume_effect,
    coalesce(residues.mix_effect, cast(0 as decimal(38, 18))) as mix_effect,
    case
        when effects.model_status = 'new model' then effects.change
        else cast(0 as decimal(38, 18))
    end as new_model_effect,
    case
        when effects.model_status = 'ended model' then effects.change
        else cast(0 as decimal(38, 18))
    end as ended_model_effect,
    coalesce(residues.uncounted_effect, cast(0 as decimal(38, 18))) as uncounted_effect
from {{ ref('int_token_effects_derived') }} as effects
cross join {{ ref('int_data_date_found') }} as data_date
left join residues
    on
        {% for column in item %}effects.{{ column }} = residues.{{ column }}
        {{ 'and' if not loop.last }} {% endfor %}
