-- What each team's own charges cost in each month by plain category. GPU machines count as AI with all their
-- parts, and so does everything of an AI model; usage and purchases of a service that FOCUS calls Other are
-- unknown.
with categorized as (
    select
        charges.*,
        case
            when
                gpus.resource_id is not null
                or charges.x_model is not null
                or charges.x_token_kind is not null
                or charges.service_category = 'AI and Machine Learning'
                then 'gpu_ai'
            when charges.service_category = 'Compute' then 'compute'
            when charges.service_category = 'Storage' then 'storage'
            when charges.service_category = 'Networking' then 'networking'
            when charges.service_category = 'Databases' then 'databases'
            when charges.service_category in ('Business Applications', 'Developer Tools') then 'saas'
            when
                charges.service_category = 'Other' and charges.charge_category in ('Usage', 'Purchase')
                then 'unknown'
            else 'other'
        end as category
    from {{ ref('int_charges_attributed') }} as charges
    left join {{ ref('int_gpu_resources_found') }} as gpus on charges.resource_id = gpus.resource_id
)

select
    {{ month_text('charge_date') }} as month,
    category,
    team,
    billing_currency,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    sum(charge_count) as charge_count
from categorized
group by {{ month_text('charge_date') }}, category, team, billing_currency
