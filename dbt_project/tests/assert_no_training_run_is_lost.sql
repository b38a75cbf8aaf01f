-- Every training run of the lake is in fct_training_run_cost, priced or not.
select
    runs.account_id,
    runs.run_id
from {{ ref('stg_training_run') }} as runs
left join {{ ref('fct_training_run_cost') }} as costed
    on runs.run_id = costed.run_id and runs.account_id = costed.account_id
where costed.run_id is null
