-- Resources that are machines with GPUs: by the price, by the words of the bill, or because somebody measured
-- their GPUs. Telemetry may know a machine by the last part of the id that the bill has.
with measured as (
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
                {% for gpu in ['a100', 'h100', 'h200', 'b200', 'v100', 'mi300'] %}
                when lower(sku_meter) like '%{{ gpu }}%' then 1
                {% endfor %}
                else 0
            end
        ) as is_billed_with_gpu
    from {{ ref('int_charges_by_day') }}
    where resource_id is not null
    group by resource_id
)

select resources.resource_id
from resources
left join measured on {{ last_part('resources.resource_id') }} = measured.resource_name
where resources.is_billed_with_gpu = 1 or measured.resource_name is not null
