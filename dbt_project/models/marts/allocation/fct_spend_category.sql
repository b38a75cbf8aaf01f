-- Where the money goes, month by month: bills by plain category, and beside them what people and the organisation
-- cost by the plan. Teams are those whose charges they are, before shared pools are split. Grain: month ×
-- category × team × currency × source.
-- Machines with GPUs count as AI with all their parts, and so does everything of an AI model; usage and purchases of a
-- service that FOCUS calls Other are unknown.
with measured as (
    -- Telemetry may know a machine by the last part of the id that the bill has.
    select distinct {{ last_part('resource_id') }} as resource_name
    from {{ ref('stg_gpu_utilization') }}
    where resource_id is not null
),

resources as (
    select
        resource_id,
        max(
            case
                when
                    sku_price_details like '%GpuCount%'
                    and cast({{ json_text('sku_price_details', 'GpuCount') }} as double) > 0
                    then 1
                when lower(concat_ws(' ', sku_meter, charge_description)) like '%gpu%' then 1
                when
                    lower(sku_meter) like '%a100%'
                    or lower(sku_meter) like '%h100%'
                    or lower(sku_meter) like '%h200%'
                    or lower(sku_meter) like '%b200%'
                    or lower(sku_meter) like '%v100%'
                    or lower(sku_meter) like '%mi300%'
                    then 1
                else 0
            end
        ) as is_billed_with_gpu
    from {{ ref('int_charges_by_day') }}
    where resource_id is not null
    group by resource_id
),

gpus as (
    select resources.resource_id
    from resources
    left join measured on {{ last_part('resources.resource_id') }} = measured.resource_name
    where resources.is_billed_with_gpu = 1 or measured.resource_name is not null
),

categorized as (
    select
        {{ month_text('charges.charge_date') }} as month,
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
        end as category,
        charges.team,
        charges.billing_currency,
        charges.billed_cost,
        charges.effective_cost,
        charges.charge_count
    from {{ ref('int_charges_attributed') }} as charges
    left join gpus on charges.resource_id = gpus.resource_id
),

told as (
    select
        month,
        category,
        team,
        billing_currency,
        'bill' as source,
        sum(billed_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        cast(sum(charge_count) as bigint) as charge_count
    from categorized
    group by month, category, team, billing_currency

    union all

    select
        month,
        category,
        coalesce(team, 'unallocated') as team,
        currency as billing_currency,
        'plan' as source,
        cast(null as decimal(38, 18)) as billed_cost,
        sum(amount) as effective_cost,
        cast(null as bigint) as charge_count
    from {{ ref('stg_organisation_cost') }}
    group by month, category, coalesce(team, 'unallocated'), currency
),

shared as (
    select
        *,
        sum(effective_cost) over (partition by month, billing_currency) as month_cost,
        sum(effective_cost) over (partition by month, category, source, billing_currency) as category_cost
    from told
)

select
    month,
    category,
    team,
    billing_currency,
    source,
    billed_cost,
    effective_cost,
    {{ ratio('effective_cost', 'month_cost') }} as share_of_month,
    charge_count,
    category_cost,
    {{ ratio('category_cost', 'month_cost') }} as category_share
from shared
