-- The term of each commitment, as the provider's latest list of commitments has it.
with ranked as (
    select
        {{ last_part('contract_commitment_id') }} as commitment_key,
        contract_commitment_period_start as term_start,
        contract_commitment_period_end as term_end,
        contract_commitment_payment_model as payment_model,
        row_number() over (
            partition by {{ last_part('contract_commitment_id') }}
            order by
                coalesce(contract_commitment_last_updated, contract_commitment_period_start) desc,
                contract_commitment_period_end desc, contract_id asc, x_source_file asc, x_source_row asc
        ) as term_rank
    from {{ ref('stg_contract_commitment') }}
)

select
    commitment_key,
    term_start,
    term_end,
    payment_model
from ranked
where term_rank = 1
