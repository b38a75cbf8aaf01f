-- Which resource of the bill each machine of the GPU telemetry is: the one of its id, or of its name where only one
-- resource of the account has it.
with billed as (
    select distinct
        billing_account_id,
        resource_id,
        resource_name
    from {{ ref('int_charges_by_day') }}
    where resource_id is not null
),

names as (
    select
        billing_account_id,
        resource_id as machine_name,
        resource_id
    from billed
    union distinct
    select
        billing_account_id,
        resource_name as machine_name,
        resource_id
    from billed
    where resource_name is not null
),

machines as (
    select distinct
        account_id as billing_account_id,
        resource_id as machine_name
    from {{ ref('stg_gpu_utilization') }}
    where resource_id is not null
)

select
    names.billing_account_id,
    names.machine_name,
    max(names.resource_id) as resource_id
from names
inner join machines
    on names.billing_account_id = machines.billing_account_id and names.machine_name = machines.machine_name
group by names.billing_account_id, names.machine_name
having count(distinct names.resource_id) = 1
