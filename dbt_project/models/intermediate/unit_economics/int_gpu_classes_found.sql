-- Which GPU an instance type holds, as telemetry of any machine of that type says; none where two models are seen.
-- A type of a managed service holds what the plain type holds: ml.g5.xlarge is a g5.xlarge.
select
    {{ plain_instance_type('machines.instance_type') }} as instance_type,
    max(intervals.gpu_model) as gpu_model
from {{ ref('int_machine_charges_summed') }} as machines
inner join {{ ref('int_gpu_intervals_shared') }} as intervals
    on
        machines.billing_account_id = intervals.account_id
        and machines.resource_id = intervals.resource_id
        and machines.charge_date = intervals.charge_date
where machines.instance_type is not null and intervals.gpu_model is not null
group by {{ plain_instance_type('machines.instance_type') }}
having count(distinct intervals.gpu_model) = 1
