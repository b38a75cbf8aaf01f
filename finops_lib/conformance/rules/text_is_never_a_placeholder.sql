-- What is not known is null, never an empty text or Not Applicable.
-- focus: NullHandling
-- since: 1.0
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where '' in (
    AllocatedMethodId, AllocatedResourceId, AllocatedResourceName, AvailabilityZone, BillingAccountId,
    BillingAccountName, BillingAccountType, CapacityReservationId, ChargeDescription, CommitmentDiscountId,
    CommitmentDiscountName, CommitmentDiscountType, CommitmentDiscountUnit, ConsumedUnit, HostProviderName,
    InvoiceDetailId, InvoiceId, InvoiceIssuerName, PricingUnit, RegionId, RegionName, ResourceId, ResourceName,
    ResourceType, ServiceName, ServiceProviderName, SkuId, SkuMeter, SkuPriceId, SubAccountId, SubAccountName,
    SubAccountType
) or 'Not Applicable' in (
    AllocatedMethodId, AllocatedResourceId, AllocatedResourceName, AvailabilityZone, BillingAccountId,
    BillingAccountName, BillingAccountType, CapacityReservationId, ChargeDescription, CommitmentDiscountId,
    CommitmentDiscountName, CommitmentDiscountType, CommitmentDiscountUnit, ConsumedUnit, HostProviderName,
    InvoiceDetailId, InvoiceId, InvoiceIssuerName, PricingUnit, RegionId, RegionName, ResourceId, ResourceName,
    ResourceType, ServiceName, ServiceProviderName, SkuId, SkuMeter, SkuPriceId, SubAccountId, SubAccountName,
    SubAccountType
)
