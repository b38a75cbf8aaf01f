-- A ContractCommitmentId belongs to one ContractId.
-- focus: ContractCommitmentId, ContractId
-- since: 1.3
-- severity: error
-- official validator: misses it
select commitment.x_SourceFile, commitment.x_SourceRow
from contract_commitment as commitment
join (
    select ContractCommitmentId
    from contract_commitment
    group by ContractCommitmentId
    having min(ContractId) <> max(ContractId)
) as offending using (ContractCommitmentId)
