-- Every charge by the part of a model's service that it pays for, before any pool is split: the model itself, GPUs,
-- functions, data transfer, vector stores, gateways; training and all else are parts of their own, so that the parts
-- add up to the bill. What is paid for by the hour is capacity, used or not; what is paid for by use is counted.
-- The FOCUS subcategory of a service is the one that most of its charges name, since allocation does not carry it.
with subcategories_counted as (
    select
        service_provider_name,
        service_category,
        service_name,
        service_subcategory,
        sum(charge_count) as charges
    from {{ ref('int_charges_by_day') }}
    where service_subcategory is not null
    group by service_provider_name, service_category, service_name, service_subcategory
),

subcategories as (
    select
        *,
        row_number() over (
            partition by service_provider_name, service_category, service_name
            order by charges desc, service_subcategory asc
        ) as subcategory_rank
    from subcategories_counted
),

described as (
    select
        charges.charge_date,
        charges.use_case,
        charges.service_provider_name,
        coalesce(charges.x_model, 'unknown') as model,
        charges.billing_currency,
        charges.billed_cost,
        charges.effective_cost,
        charges.charge_count,
        charges.x_model is not null or charges.x_token_kind is not null as is_of_model,
        charges.x_token_kind,
        lower(concat(charges.service_name, ' ', coalesce(charges.charge_description, ''))) as words,
        coalesce(services.service_subcategory, '') as subcategory,
        coalesce(resources.purpose, '') as purpose
    from {{ ref('int_charges_attributed') }} as charges
    left join subcategories as services
        on
            charges.service_provider_name = services.service_provider_name
            and charges.service_category = services.service_category
            and charges.service_name = services.service_name
            and services.subcategory_rank = 1
    left join {{ ref('int_compute_resources_found') }} as resources
        on charges.billing_account_id = resources.billing_account_id and charges.resource_id = resources.resource_id
),

named as (
    select
        *,
        case
            when purpose = 'training' then 'training'
            when is_of_model or subcategory = 'Generative AI' then 'model'
            when purpose <> '' then 'gpu'
            when subcategory = 'Serverless Compute' then 'serverless'
            when
                subcategory in ('Network Connectivity', 'Content Delivery') or {{ tells_of_transfer('words') }}
                then 'egress'
            when subcategory = 'Search' or words like '%vector%' then 'vector store'
            when
                subcategory in ('API Management', 'Application Networking') or words like '%gateway%'
                then 'gateway'
            else 'other'
        end as component
    from described
),

metered as (
    select
        charge_date,
        use_case,
        service_provider_name,
        case when component = 'model' then model end as model,
        component,
        case
            when component in ('gpu', 'training') then 'capacity'
            when component = 'model' and x_token_kind is null and words like '%provisioned%' then 'capacity'
            when component = 'other' and subcategory in ('Virtual Machines', 'Containers') then 'capacity'
            else 'counted'
        end as basis,
        billing_currency,
        billed_cost,
        effective_cost,
        charge_count
    from named
)

select
    charge_date,
    use_case,
    service_provider_name,
    model,
    component,
    basis,
    billing_currency,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    cast(sum(charge_count) as bigint) as charge_count
from metered
group by charge_date, use_case, service_provider_name, model, component, basis, billing_currency
