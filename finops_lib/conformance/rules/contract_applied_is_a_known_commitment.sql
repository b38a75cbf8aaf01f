-- Every commitment that a charge draws on is in ContractCommitment, where that dataset is delivered.
-- focus: ContractApplied, ContractCommitmentId
-- since: 1.3
-- severity: error
-- official validator: misses it
select x_SourceFile, x_SourceRow
from (
    select x_SourceFile, x_SourceRow, unnest(cast(json_extract(ContractApplied, '$.Elements') as json[])) as element
    from cost_and_usage
    where ContractApplied is not null
) as applied
where exists (select 1 from contract_commitment)
    and coalesce(element ->> 'ContractCommitmentId', element ->> 'ContractCommitmentID') not in (
        select ContractCommitmentId from contract_commitment
    )
