-- Azure reservation transactions (Cost Management export, EA and MCA) → FOCUS Contract Commitment.
--   The transactions of one reservation order in, one commitment of usage out: units reserved times hours of the term.
--   ContractCommitmentId is the order's id, which the CommitmentDiscountId of the charges it covers holds.
-- dataset: contract_commitment
-- formats: csv, parquet
-- account: coalesce(CurrentEnrollmentId, BillingProfileId)
-- month: 'all'
-- bucket: ContractCommitmentId
-- needs: ArmSkuName, Description
-- dates: EventDate
-- origin: ContractCommitmentType from EventType
-- quirk: The first purchase of an order says when it began; a recurring order costs its first payment times the months of its term.
-- quirk: Cost and quantity are as purchased; an order is Canceled once it was cancelled or all of its units were refunded.
-- quirk: A delivery replaces the orders it holds, so an order's transactions must come in one delivery.
-- not covered: Whether an order is still active is not in the file, nor are savings plans and the reservations inside an order.
-- not covered: Names and addresses of people are not read.
create table raw (
    ReservationOrderId varchar not null, ReservationOrderName varchar, EventType varchar not null,
    EventDate date not null, Term varchar not null, BillingFrequency varchar not null,
    Quantity decimal(38, 18) not null, Amount decimal(38, 18) not null, Currency varchar not null,
    ArmSkuName varchar, Region varchar, Description varchar,
    CurrentEnrollmentId varchar, BillingProfileId varchar       -- EA has the one, MCA the other
);
with terms(term_code, term_months, duration) as (values      -- a term missing here leaves the end of the period NULL, which is refused
    ('P1M', 1, '1 Month'), ('P1Y', 12, '1 Year'), ('P3Y', 36, '3 Years'), ('P5Y', 60, '5 Years')
),
dated as (
    select
        *,
        lower(EventType) = 'purchase' as is_purchase,
        lower(EventType) in ('purchase', 'cancel', 'refund') as is_known,
        min(EventDate) filter (is_purchase) over (partition by coalesce(CurrentEnrollmentId, BillingProfileId), ReservationOrderId)
            as bought_on
    from raw
),
orders as (
    select
        coalesce(CurrentEnrollmentId, BillingProfileId) as account,
        ReservationOrderId, Currency,
        cast(any_value(bought_on) as timestamptz) as bought,
        min_by(dated, (is_known, not is_purchase, EventDate, x_source_row)) as purchase,
        sum(Quantity) filter (is_purchase and (EventDate = bought_on or lower(BillingFrequency) <> 'recurring')) as units,
        sum(Amount) filter (is_purchase and (EventDate = bought_on or lower(BillingFrequency) <> 'recurring')) as payment,
        coalesce(sum(abs(Quantity)) filter (lower(EventType) = 'refund'), 0) as refunded,
        count(*) filter (lower(EventType) = 'cancel') as cancels
    from dated
    group by account, ReservationOrderId, Currency
),
commitments as (
    select
        *,
        lower(purchase.BillingFrequency) = 'recurring' as is_recurring,
        cancels > 0 or refunded >= units as is_canceled,
        bought + to_months(term_months) as period_end,
        cast((epoch(period_end) - epoch(bought)) / 3600 as decimal(9, 0)) as hours
    from orders left join terms on term_code = upper(purchase.Term)
)
select
    ReservationOrderId as ContractCommitmentId, ReservationOrderId as ContractId,
    case when purchase.is_known then 'Reservation' end as ContractCommitmentType,      -- an unknown event is refused
    coalesce(purchase.ReservationOrderName, purchase.Description) as ContractCommitmentDescription,
    'Usage' as ContractCommitmentCategory,
    payment * if(is_recurring, term_months, 1) as ContractCommitmentCost, Currency as BillingCurrency,
    cast(units as decimal(19, 9)) * hours as ContractCommitmentQuantity,
    case when ContractCommitmentQuantity is not null then 'Hours' end as ContractCommitmentUnit,
    bought as ContractCommitmentPeriodStart, period_end as ContractCommitmentPeriodEnd,
    bought as ContractPeriodStart, period_end as ContractPeriodEnd, bought as ContractCommitmentCreated,
    duration as ContractCommitmentDurationType,
    case when is_canceled then 'Canceled' end as ContractCommitmentLifecycleStatus,
    'Discount' as ContractCommitmentBenefitCategory, 'Hourly' as ContractCommitmentFulfillmentInterval,
    'Continuous' as ContractCommitmentModel,
    if(is_recurring, 'No Upfront', 'All Upfront') as ContractCommitmentPaymentModel,
    if(is_recurring, 'Monthly', 'One-Time') as ContractCommitmentPaymentInterval,
    if(is_recurring, 0, 1) as ContractCommitmentPaymentUpfrontPercentage,
    cast(json_merge_patch(
        json_object('x_ArmSkuName', purchase.ArmSkuName), json_object('x_Region', purchase.Region)
    ) as varchar) as ContractCommitmentApplicability,
    'Microsoft' as ServiceProviderName, 'Microsoft' as InvoiceIssuerName,
    account as x_BillingAccountId,
    purchase.x_source_file as x_SourceFile, purchase.x_source_row as x_SourceRow
from commitments
