-- Every machine with GPUs on the bill is in fct_gpu_utilization with all its cost, of each currency to the last digit,
-- and with all its device hours; used, idle and unmeasured cost are all of it.
with devices as (
    select
        charge_date,
        account_id,
        resource_id,
        count(distinct device_id) as devices
    from {{ ref('int_gpu_intervals_shared') }}
    group by charge_date, account_id, resource_id
),

machines as (
    select
        charges.charge_date,
        charges.service_provider_name,
        charges.billing_account_id,
        charges.resource_id,
        charges.is_unused,
        charges.billing_currency,
        max(charges.instance_type) as instance_type,
        sum(charges.machine_hours * coalesce(charges.gpus, devices.devices)) as bought_hours,
        sum(charges.effective_cost) as effective_cost
    from {{ ref('int_machine_charges_summed') }} as charges
    left join devices
        on
            charges.charge_date = devices.charge_date
            and charges.billing_account_id = devices.account_id
            and charges.resource_id = devices.resource_id
    group by
        charges.charge_date, charges.service_provider_name, charges.billing_account_id, charges.resource_id,
        charges.is_unused, charges.billing_currency
),

bought as (
    select
        billing_currency,
        sum(bought_hours) as bought_hours,
        sum(effective_cost) as effective_cost
    from machines
    where bought_hours > 0 or (instance_type like 'Standard_N%' and instance_type not like 'Standard_NP%')
    group by billing_currency
),

shown as (
    select
        billing_currency,
        sum(bought_hours) as bought_hours,
        sum(effective_cost) as effective_cost,
        sum(coalesce(used_cost, 0)) as used_cost,
        sum(coalesce(idle_cost, 0)) as idle_cost,
        sum(coalesce(unmeasured_cost, 0)) as unmeasured_cost
    from {{ ref('fct_gpu_utilization') }}
    where billing_currency is not null
    group by billing_currency
)

select
    bought.billing_currency,
    bought.bought_hours,
    shown.bought_hours as shown_hours,
    bought.effective_cost,
    shown.effective_cost as shown_cost
from bought
left join shown on bought.billing_currency = shown.billing_currency
where
    shown.effective_cost is null
    or shown.effective_cost <> bought.effective_cost
    or abs(cast(shown.bought_hours as double) - cast(bought.bought_hours as double)) > 0.000001
    or abs(
        cast(shown.effective_cost as double) - cast(shown.used_cost as double) - cast(shown.idle_cost as double)
        - cast(shown.unmeasured_cost as double)
    ) > 0.000001
