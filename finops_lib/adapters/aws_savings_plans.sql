-- AWS Savings Plans as `aws savingsplans describe-savings-plans` writes them → FOCUS Contract Commitment.
--   One plan in, one commitment of spend out: the hourly commitment times the hours of its term.
--   ContractCommitmentId is the plan's ARN, which is the CommitmentDiscountId of the charges it covers.
-- dataset: contract_commitment
-- formats: json
-- records: savingsPlans
-- account: split_part(savingsPlanArn, ':', 5)
-- month: 'all'
-- bucket: ContractCommitmentId
-- quirk: The end is given as the last second of the term; FOCUS wants the instant after it.
-- quirk: A delivery replaces the plans it holds; retired plans that the command no longer lists stay.
-- not covered: When a plan was bought or last changed, who invoices it and what it saves are not in the file.
create table raw (
    savingsPlanArn varchar not null, savingsPlanId varchar not null, offeringId varchar, description varchar,
    "start" timestamptz not null, "end" timestamptz not null, termDurationInSeconds bigint not null,
    state varchar not null, savingsPlanType varchar not null, paymentOption varchar not null,
    productTypes varchar[], region varchar, ec2InstanceFamily varchar,
    currency varchar not null, commitment decimal(38, 18) not null, upfrontPaymentAmount decimal(38, 18)
);
with states(state, status) as (values       -- a state missing here is refused, because FOCUS has no such value
    ('queued', 'Pending'), ('payment-pending', 'Pending'), ('active', 'Active'), ('pending-return', 'Active'),
    ('retired', 'Expired'), ('payment-failed', 'Canceled'), ('queued-deleted', 'Canceled'), ('returned', 'Canceled')
),
plans as (
    select
        *,
        -- 9 decimals keep the product exact; an hourly commitment with more, or a term of broken hours, has no cost.
        case when cast(commitment as decimal(18, 9)) = commitment and termDurationInSeconds % 3600 = 0
            then cast(commitment as decimal(18, 9)) * cast(termDurationInSeconds // 3600 as decimal(9, 0)) end as cost,
        if(epoch("end") % 60 = 59, "end" + interval 1 second, "end") as period_end
    from raw left join states using (state)
)
select
    savingsPlanArn as ContractCommitmentId, savingsPlanArn as ContractId,
    savingsPlanType || ' Savings Plan' as ContractCommitmentType, description as ContractCommitmentDescription,
    'Spend' as ContractCommitmentCategory, cost as ContractCommitmentCost, currency as BillingCurrency,
    "start" as ContractCommitmentPeriodStart, period_end as ContractCommitmentPeriodEnd,
    "start" as ContractPeriodStart, period_end as ContractPeriodEnd,
    case termDurationInSeconds when 31536000 then '1 Year' when 94608000 then '3 Years' end as ContractCommitmentDurationType,
    coalesce(status, state) as ContractCommitmentLifecycleStatus,
    'Discount' as ContractCommitmentBenefitCategory, 'Hourly' as ContractCommitmentFulfillmentInterval,
    'Continuous' as ContractCommitmentModel, 'Public' as ContractCommitmentOfferCategory,
    paymentOption as ContractCommitmentPaymentModel,
    if(paymentOption = 'All Upfront', 'One-Time', 'Monthly') as ContractCommitmentPaymentInterval,
    case paymentOption
        when 'All Upfront' then 1
        when 'No Upfront' then 0
        else cast(cast(upfrontPaymentAmount as double) / cast(cost as double) as decimal(18, 9))
    end as ContractCommitmentPaymentUpfrontPercentage,
    cast(json_merge_patch(
        json_object('x_ProductTypes', productTypes),
        json_object('x_Region', region, 'x_InstanceFamily', ec2InstanceFamily)
    ) as varchar) as ContractCommitmentApplicability,
    'AWS' as ServiceProviderName,
    split_part(savingsPlanArn, ':', 5) as x_BillingAccountId,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from plans
