-- AWS EC2 Reserved Instances as `aws ec2 describe-reserved-instances` writes them → FOCUS Contract Commitment.
--   One reservation in, one commitment of usage out: instances times hours of its term.
--   ContractCommitmentCost is what they cost over the term, upfront and by the hour.
-- dataset: contract_commitment
-- formats: json
-- records: ReservedInstances
-- account: coalesce(getvariable('account'), 'default')
-- month: 'all'
-- bucket: ContractCommitmentId
-- quirk: The file names neither account nor region: `--account` says the account, and ContractCommitmentId is the id that the ARN in CommitmentDiscountId ends with.
-- quirk: Prices are per instance; costs are theirs times InstanceCount.
-- quirk: A delivery replaces the reservations it holds; retired ones that the command no longer lists stay.
-- not covered: Reservations of other services (RDS, ElastiCache, OpenSearch, Redshift) have other files.
-- not covered: When a reservation was bought or last changed, who invoices it and what it saves are not in the file.
create table raw (
    ReservedInstancesId varchar not null, InstanceType varchar not null, InstanceCount bigint not null,
    ProductDescription varchar, OfferingClass varchar, OfferingType varchar not null, Scope varchar,
    AvailabilityZone varchar, InstanceTenancy varchar,
    "Start" timestamptz not null, "End" timestamptz not null, Duration bigint not null, State varchar not null,
    CurrencyCode varchar not null, FixedPrice decimal(38, 18) not null,
    RecurringCharges struct(Amount decimal(38, 18), Frequency varchar)[]
);
with states(state_name, status) as (values  -- a state missing here is refused, because FOCUS has no such value
    ('queued', 'Pending'), ('payment-pending', 'Pending'), ('active', 'Active'), ('retired', 'Expired'),
    ('payment-failed', 'Canceled'), ('queued-deleted', 'Canceled')
),
reservations as (
    select
        *,
        case when Duration % 3600 = 0 then cast(Duration // 3600 as decimal(9, 0)) end as hours,
        list_sum(list_transform(
            list_filter(RecurringCharges, lambda c: c.Frequency = 'Hourly'), lambda c: cast(c.Amount as decimal(18, 9))
        )) as hourly,
        -- A charge by another interval, or an amount of more than 9 decimals, leaves the cost unknown rather than wrong.
        cast(FixedPrice as decimal(18, 9)) = FixedPrice and coalesce(len(list_filter(
            RecurringCharges, lambda c: c.Frequency <> 'Hourly' or cast(c.Amount as decimal(18, 9)) <> c.Amount
        )), 0) = 0 as is_exact,
        cast(FixedPrice as decimal(18, 9)) + coalesce(cast(hourly as decimal(18, 9)), 0) * hours as price
    from raw left join states on state_name = State
)
select
    ReservedInstancesId as ContractCommitmentId, ReservedInstancesId as ContractId,
    'Reserved Instance' as ContractCommitmentType,
    concat_ws(', ', InstanceCount || ' × ' || InstanceType, ProductDescription, OfferingClass) as ContractCommitmentDescription,
    'Usage' as ContractCommitmentCategory,
    case when is_exact then cast(price as decimal(28, 9)) * cast(InstanceCount as decimal(9, 0)) end as ContractCommitmentCost,
    CurrencyCode as BillingCurrency,
    hours * cast(InstanceCount as decimal(9, 0)) as ContractCommitmentQuantity,
    case when hours is not null then 'Hours' end as ContractCommitmentUnit,
    "Start" as ContractCommitmentPeriodStart, "End" as ContractCommitmentPeriodEnd,
    "Start" as ContractPeriodStart, "End" as ContractPeriodEnd,
    case Duration when 31536000 then '1 Year' when 94608000 then '3 Years' end as ContractCommitmentDurationType,
    coalesce(status, State) as ContractCommitmentLifecycleStatus,
    'Discount' as ContractCommitmentBenefitCategory, 'Hourly' as ContractCommitmentFulfillmentInterval,
    'Continuous' as ContractCommitmentModel, 'Public' as ContractCommitmentOfferCategory,
    case when OfferingType in ('No Upfront', 'Partial Upfront', 'All Upfront') then OfferingType end as ContractCommitmentPaymentModel,
    if(OfferingType = 'All Upfront', 'One-Time', 'Monthly') as ContractCommitmentPaymentInterval,
    case OfferingType
        when 'All Upfront' then 1
        when 'No Upfront' then 0
        when 'Partial Upfront' then cast(cast(FixedPrice as double) / cast(price as double) as decimal(18, 9))
    end as ContractCommitmentPaymentUpfrontPercentage,
    cast(json_merge_patch(
        json_object('x_InstanceType', InstanceType),
        json_object('x_Scope', Scope, 'x_AvailabilityZone', AvailabilityZone, 'x_Tenancy', InstanceTenancy)
    ) as varchar) as ContractCommitmentApplicability,
    'AWS' as ServiceProviderName,
    coalesce(getvariable('account'), 'default') as x_BillingAccountId,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from reservations
