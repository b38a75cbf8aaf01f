-- What moving data over a network costs in a month: between zones, regions and clouds, over private lines, through
-- content delivery and to the internet. The provider's own words for meter and charge tell the direction: first those
-- that name both ends, then those that name one; what names none is unknown and stays visible. Only what is measured in
-- bytes is here, in gigabytes of 1,000,000,000 bytes: hours of a gateway move nothing.
with sizes (unit, bytes) as (
    select *
    from (
        values
        ('bytes', cast(1 as double)),
        ('kb', cast(1e3 as double)),
        ('mb', cast(1e6 as double)),
        ('gb', cast(1e9 as double)),
        ('tb', cast(1e12 as double)),
        ('kib', cast(1024 as double)),
        ('mib', cast(1048576 as double)),
        ('gib', cast(1073741824 as double)),
        ('tib', cast(1099511627776 as double))
    )
),

measured as (
    select
        charges.charge_date,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.sub_account_id,
        charges.service_name,
        charges.service_subcategory,
        charges.region_id,
        charges.billing_currency,
        charges.billed_cost,
        charges.effective_cost,
        charges.consumed_quantity,
        sizes.bytes,
        lower(concat(coalesce(charges.sku_meter, ''), ' ', coalesce(charges.charge_description, ''))) as words
    from {{ ref('int_charges_by_day') }} as charges
    inner join sizes on lower(charges.consumed_unit) = sizes.unit
    where charges.charge_category = 'Usage'
),

directed as (
    select
        {{ month_text('charge_date') }} as month,
        service_provider_name,
        billing_account_id,
        sub_account_id,
        service_name,
        region_id,
        case
            when
                words like '%regional-bytes%' or words like '%xaz-%'
                or words like '%inter zone%' or words like '%inter-zone%'
                or words like '%availability zone%' or words like '%same_region%' or words like '%intra region%'
                then 'between zones'
            when
                words like '%aws-out-bytes%' or words like '%aws-in-bytes%' or words like '%inter region%'
                or words like '%inter-region%' or words like '%interregion%' or words like '%cross-region%'
                or words like '%cross region%' or words like '%inter continent%' or words like '%intra continent%'
                or words like '%different_region%' or words like '%peering%'
                then 'between regions'
            when
                words like '%interconnect%' or words like '%expressroute%' or words like '%dataxfer%'
                or words like '%fastconnect%'
                then 'private line'
            when words like '%cross-cloud%' or words like '%cross cloud%' then 'between clouds'
            when service_subcategory = 'Content Delivery' then 'content delivery'
            when
                words like '%transfer-in%' or words like '%transfer in%' or words like '%transfer_in%'
                or words like '%ingress%' or words like '%inbound%'
                then 'from the internet'
            when
                words like '%transfer-out%' or words like '%transfer out%' or words like '%transfer_out%'
                or words like '%internet%' or words like '%outbound%'
                then 'to the internet'
            else 'unknown'
        end as direction,
        billing_currency,
        cast(consumed_quantity as double) * bytes / 1e9 as gigabytes,
        billed_cost,
        effective_cost
    from measured
    where
        service_subcategory in ('Network Connectivity', 'Content Delivery')
        or {{ tells_of_transfer('words') }}
)

select
    month,
    service_provider_name,
    billing_account_id,
    sub_account_id,
    service_name,
    region_id,
    direction,
    billing_currency,
    sum(gigabytes) as gigabytes,
    sum(billed_cost) as billed_cost,
    sum(effective_cost) as effective_cost,
    {{ ratio('sum(effective_cost)', 'sum(gigabytes)') }} as effective_cost_per_gb
from directed
group by
    month, service_provider_name, billing_account_id, sub_account_id, service_name, region_id, direction,
    billing_currency
