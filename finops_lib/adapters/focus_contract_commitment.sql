-- FOCUS Contract Commitment of any provider, 1.3 and 1.4 → FOCUS 1.4.  One commitment in, one row out.
--   1.3 knows 13 of the 30 columns: what it does not say is NULL.
-- dataset: contract_commitment
-- formats: csv, parquet
-- needs: ContractCommitmentCost, ContractCommitmentQuantity
-- account: coalesce(getvariable('account'), 'default')
-- month: 'all'
-- bucket: ContractCommitmentId
-- version: FOCUS 1.4 with ContractCommitmentLifecycleStatus
-- version: FOCUS 1.3 with ContractCommitmentId
-- null: NULL, null
-- quirk: The dataset names no account: `--account` says whose commitments they are, and without it they are filed under default.
-- quirk: A delivery replaces the commitments it holds; one it no longer lists stays, so that past charges still find theirs.
-- not covered: Spellings that FOCUS does not allow are refused, not repaired.
create table raw (
    BillingCurrency varchar,
    ContractCommitmentApplicability json,
    ContractCommitmentBenefitCategory varchar,
    ContractCommitmentCategory varchar not null,
    ContractCommitmentCost decimal(38, 18),
    ContractCommitmentCreated timestamptz,
    ContractCommitmentDescription varchar,
    ContractCommitmentDiscountPercentage decimal(38, 18),
    ContractCommitmentDurationType varchar,
    ContractCommitmentFulfillmentInterval varchar,
    ContractCommitmentId varchar not null,
    ContractCommitmentLastUpdated timestamptz,
    ContractCommitmentLifecycleStatus varchar,
    ContractCommitmentModel varchar,
    ContractCommitmentOfferCategory varchar,
    ContractCommitmentPaymentInterval varchar,
    ContractCommitmentPaymentModel varchar,
    ContractCommitmentPaymentUpfrontPercentage decimal(38, 18),
    ContractCommitmentPeriodEnd timestamptz not null,
    ContractCommitmentPeriodStart timestamptz not null,
    ContractCommitmentQuantity decimal(38, 18),
    ContractCommitmentType varchar not null,
    ContractCommitmentUnit varchar,
    ContractId varchar not null,
    ContractPeriodEnd timestamptz not null,
    ContractPeriodStart timestamptz not null,
    InvoiceIssuerName varchar,
    PricingCurrency varchar,
    PricingCurrencyContractCommitmentCost decimal(38, 18),
    ServiceProviderName varchar
);
select
    BillingCurrency,
    cast(ContractCommitmentApplicability as varchar) as ContractCommitmentApplicability,
    ContractCommitmentBenefitCategory,
    ContractCommitmentCategory,
    ContractCommitmentCost,
    ContractCommitmentCreated,
    ContractCommitmentDescription,
    ContractCommitmentDiscountPercentage,
    ContractCommitmentDurationType,
    ContractCommitmentFulfillmentInterval,
    ContractCommitmentId,
    ContractCommitmentLastUpdated,
    ContractCommitmentLifecycleStatus,
    ContractCommitmentModel,
    ContractCommitmentOfferCategory,
    ContractCommitmentPaymentInterval,
    ContractCommitmentPaymentModel,
    ContractCommitmentPaymentUpfrontPercentage,
    ContractCommitmentPeriodEnd,
    ContractCommitmentPeriodStart,
    ContractCommitmentQuantity,
    ContractCommitmentType,
    ContractCommitmentUnit,
    ContractId,
    ContractPeriodEnd,
    ContractPeriodStart,
    InvoiceIssuerName,
    PricingCurrency,
    PricingCurrencyContractCommitmentCost,
    ServiceProviderName,
    coalesce(getvariable('account'), 'default') as x_BillingAccountId,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from raw
