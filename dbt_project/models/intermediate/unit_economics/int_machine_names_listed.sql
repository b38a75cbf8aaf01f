-- What telemetry may call a machine of the bill: its id, or its name where only one machine of the account has it.
with names as (
    select
        billing_account_id,
        resource_id as machine_name,
        resource_id
    from {{ ref('int_machine_charges_summed') }}
    union distinct
    select
        billing_account_id,
        resource_name as machine_name,
        resource_id
    from {{ ref('int_machine_charges_summed') }}
    where resource_name is not null
)

select
    billing_account_id,
    machine_name,
    max(resource_id) as resource_id
from names
group by billing_account_id, machine_name
having count(*) = 1
