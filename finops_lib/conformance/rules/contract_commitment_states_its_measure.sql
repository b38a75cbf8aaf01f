-- A commitment to spend states its cost and currency, a commitment to use its quantity, and a quantity has a unit.
-- focus: ContractCommitmentCategory, ContractCommitmentCost, ContractCommitmentQuantity
-- since: 1.3
-- severity: error
-- official validator: misses it
select x_SourceFile, x_SourceRow
from contract_commitment
where (ContractCommitmentQuantity is null) <> (ContractCommitmentUnit is null)
    or (ContractCommitmentCategory = 'Spend' and (ContractCommitmentCost is null or BillingCurrency is null))
    or (ContractCommitmentCategory = 'Usage' and ContractCommitmentQuantity is null)
