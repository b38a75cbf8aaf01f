-- FOCUS Cost and Usage export of any provider, 1.0 to 1.4 (and drafts before 1.0) → FOCUS 1.4.  One row in, one row out.
--   ProviderName and PublisherName (up to 1.3) become ServiceProviderName and HostProviderName: alike when the provider
--   sells its own service, publisher on provider's infrastructure when the service came from a marketplace.
--   What FOCUS 1.4 forbids is repaired where it cannot stand, here and nowhere else: x_Repairs shows what was delivered,
--   and the ledger counts the rows by column.  All else stands as delivered; what cannot be repaired is refused.
-- dataset: cost_and_usage
-- formats: csv, parquet
-- needs: InvoiceIssuerName
-- account: BillingAccountId
-- month: strftime(BillingPeriodStart, '%Y-%m')
-- billed: BilledCost in BillingCurrency
-- conserves: EffectiveCost from EffectiveCost
-- conserves: ContractedCost from ContractedCost
-- conserves: ListCost from ListCost
-- conserves: PricingCurrencyEffectiveCost from coalesce(PricingCurrencyEffectiveCost, 0)
-- version: FOCUS 1.3 with ServiceProviderName, ProviderName
-- version: FOCUS 1.4 with ServiceProviderName
-- version: FOCUS 1.2-preview with InvoiceId, x_SkuDetails
-- version: FOCUS 1.2 with InvoiceId
-- version: FOCUS 1.2 with PricingCurrency
-- version: FOCUS 1.1 with ServiceSubcategory
-- version: FOCUS 1.1 with SkuMeter
-- version: FOCUS 1.0 with ContractedCost
-- version: FOCUS 1.0-preview with ListCost
-- quirk: Allowed values in another spelling (GCP's usage, Azure's On-Demand, OCI's Usage-based) are spelled as FOCUS has them.
-- quirk: An Adjustment that drafts call a Credit is a Credit, and their ChargeSubcategory says which commitments were used.
-- quirk: A BillingPeriodEnd that is the month's last day (GCP) becomes the day after it.
-- quirk: A billing account given as SubAccountId (GCP) becomes the project of the row.
-- quirk: A missing InvoiceIssuerName (AWS) is the provider's name; a missing ContractedCost (drafts) is the list cost.
-- quirk: Prices, their details and quantities without SkuPriceId or on taxes, quantities without a unit, names and types without an id are left out.
-- quirk: Consumption on the unused part of a commitment is left out, because nothing consumed it.
-- quirk: Tags as a list of pairs (GCP) become an object, in which a key's first value stays.
-- quirk: Azure's x_InvoiceId, x_PricingCurrency, x_SkuMeterName and x_OnDemandCost are read where the FOCUS column is not there yet.
-- not covered: A provider's other columns of its own (x_…, oci_…) are not kept.
-- not covered: Missing unit prices (AWS) stay missing: dividing costs would invent digits.
-- not covered: Overage and attributed cost of OCI's reports are not read.
-- null: NULL, null
create table raw (
    BilledCost decimal(38, 18) not null, EffectiveCost decimal(38, 18) not null, ListCost decimal(38, 18) not null,
    ContractedCost decimal(38, 18),                                     -- not in drafts
    BillingCurrency varchar not null,
    BillingAccountId varchar not null, BillingAccountName varchar, BillingAccountType varchar,
    SubAccountId varchar, SubAccountName varchar, SubAccountType varchar,
    BillingPeriodStart timestamptz not null, BillingPeriodEnd timestamptz not null,
    ChargePeriodStart timestamptz not null, ChargePeriodEnd timestamptz not null,
    ChargeCategory varchar not null, ChargeSubcategory varchar, ChargeClass varchar, ChargeDescription varchar, ChargeFrequency varchar,
    InvoiceIssuerName varchar, InvoiceId varchar, InvoiceDetailId varchar,
    ServiceProviderName varchar, HostProviderName varchar,              -- from 1.3
    ProviderName varchar, PublisherName varchar,                        -- up to 1.3
    ServiceCategory varchar not null, ServiceSubcategory varchar, ServiceName varchar not null,
    RegionId varchar, RegionName varchar, AvailabilityZone varchar,
    ResourceId varchar, ResourceName varchar, ResourceType varchar, Tags json,
    SkuId varchar, SkuMeter varchar, SkuPriceId varchar, SkuPriceDetails json,
    PricingCategory varchar, PricingCurrency varchar, PricingQuantity decimal(38, 18), PricingUnit varchar,
    ListUnitPrice decimal(38, 18), ContractedUnitPrice decimal(38, 18), PricingCurrencyEffectiveCost decimal(38, 18),
    PricingCurrencyListUnitPrice decimal(38, 18), PricingCurrencyContractedUnitPrice decimal(38, 18),
    ConsumedQuantity decimal(38, 18), ConsumedUnit varchar,
    CommitmentDiscountId varchar, CommitmentDiscountName varchar, CommitmentDiscountType varchar,
    CommitmentDiscountCategory varchar, CommitmentDiscountStatus varchar,
    CommitmentDiscountQuantity decimal(38, 18), CommitmentDiscountUnit varchar,
    CapacityReservationId varchar, CapacityReservationStatus varchar,
    CommitmentProgramEligibilityDetails json, ContractApplied json,
    AllocatedMethodId varchar, AllocatedMethodDetails json,
    AllocatedResourceId varchar, AllocatedResourceName varchar, AllocatedTags json,
    x_Project json,                                                     -- GCP: id and name
    x_Model varchar, x_TokenKind varchar, x_ServiceTier varchar, x_ApiKeyId varchar   -- ours, when the export is
);
with delivered as (
    select
        raw.*,
        coalesce(json_type(Tags) = 'ARRAY', false) as has_tag_list,
        if(lower(ChargeSubcategory) = 'credit', 'Credit', coalesce(as_category.value, ChargeCategory)) as category,
        category = 'Tax' as is_tax,
        coalesce(as_class.value, ChargeClass) as class,
        coalesce(as_frequency.value, ChargeFrequency) as frequency,
        coalesce(as_pricing.value, PricingCategory) as pricing,
        coalesce(as_commitment.value, CommitmentDiscountCategory) as commitment,
        case lower(coalesce(CommitmentDiscountStatus, ChargeSubcategory))
            when 'used commitment' then 'Used'
            when 'unused commitment' then 'Unused'
            else coalesce(as_commitment_status.value, CommitmentDiscountStatus)
        end as commitment_status,
        coalesce(as_capacity_status.value, CapacityReservationStatus) as capacity_status,
        -- A month's last day as its end means that day included; billing periods that are no calendar month are left alone.
        extract(day from BillingPeriodStart) = 1 and cast(BillingPeriodEnd as date) = last_day(BillingPeriodStart)
            as end_is_last_day,
        coalesce(as_provider.provider, lower(ProviderName)) = coalesce(as_publisher.provider, lower(PublisherName))
            as is_first_party,
        SubAccountId = BillingAccountId and x_Project is not null as is_project,
        SkuPriceId is not null and not is_tax as has_price,
        has_price and PricingQuantity is not null and PricingUnit is not null as has_pricing_quantity,
        has_price and ConsumedQuantity is not null and ConsumedUnit is not null
            and commitment_status is distinct from 'Unused' as has_consumption,
        has_price and CommitmentDiscountQuantity is not null and CommitmentDiscountUnit is not null
            as has_commitment_quantity
    from raw
    left join focus_values as as_category on as_category.spelling = lower(ChargeCategory)
    left join focus_values as as_class on as_class.spelling = lower(ChargeClass)
    left join focus_values as as_frequency on as_frequency.spelling = lower(ChargeFrequency)
    left join focus_values as as_pricing on as_pricing.spelling = lower(PricingCategory)
    left join focus_values as as_commitment on as_commitment.spelling = lower(CommitmentDiscountCategory)
    left join focus_values as as_commitment_status on as_commitment_status.spelling = lower(CommitmentDiscountStatus)
    left join focus_values as as_capacity_status on as_capacity_status.spelling = lower(CapacityReservationStatus)
    left join focus_providers as as_provider on as_provider.spelling = lower(ProviderName)
    left join focus_providers as as_publisher on as_publisher.spelling = lower(PublisherName)
)
select
    BilledCost, EffectiveCost, coalesce(ContractedCost, ListCost) as ContractedCost, ListCost, BillingCurrency,
    BillingAccountId, BillingAccountName, BillingAccountType,
    if(is_project, json_extract_string(x_Project, '$.id'), SubAccountId) as SubAccountId,
    case
        when is_project then json_extract_string(x_Project, '$.name')
        when SubAccountId is not null then SubAccountName
    end as SubAccountName,
    SubAccountType,
    BillingPeriodStart,
    case when end_is_last_day then BillingPeriodEnd + interval 1 day else BillingPeriodEnd end as BillingPeriodEnd,
    ChargePeriodStart, ChargePeriodEnd,
    category as ChargeCategory, class as ChargeClass, ChargeDescription, frequency as ChargeFrequency,
    coalesce(InvoiceIssuerName, ProviderName) as InvoiceIssuerName, InvoiceId, InvoiceDetailId,

    case
        when ServiceProviderName is not null then ServiceProviderName
        when is_first_party or PublisherName is null then ProviderName
        else PublisherName
    end as ServiceProviderName,
    case when ServiceProviderName is not null then HostProviderName else ProviderName end as HostProviderName,

    ServiceCategory, ServiceSubcategory, ServiceName,
    RegionId, case when RegionId is not null then RegionName end as RegionName, AvailabilityZone,
    ResourceId, case when ResourceId is not null then ResourceName end as ResourceName,
    case when ResourceId is not null then ResourceType end as ResourceType,
    case
        when has_tag_list then nullif(cast(to_json(map_from_entries(list_filter(
            from_json(Tags, '[{"key": "VARCHAR", "value": "VARCHAR"}]'),
            -- a JSON object holds a key once: the first of the list stays
            lambda tag, i: tag.key is not null and list_position(json_extract_string(Tags, '$[*].key'), tag.key) = i
        ))) as varchar), '{}')
        else cast(Tags as varchar)
    end as Tags,

    case when not is_tax then SkuId end as SkuId, SkuMeter,
    case when not is_tax then SkuPriceId end as SkuPriceId,
    case when has_price then cast(SkuPriceDetails as varchar) end as SkuPriceDetails,
    case when has_price then pricing end as PricingCategory,
    PricingCurrency, PricingCurrencyEffectiveCost,
    case when has_pricing_quantity then PricingQuantity end as PricingQuantity,
    case when has_pricing_quantity then PricingUnit end as PricingUnit,
    case when has_price then ListUnitPrice end as ListUnitPrice,
    case when has_price then ContractedUnitPrice end as ContractedUnitPrice,
    case when has_price then PricingCurrencyListUnitPrice end as PricingCurrencyListUnitPrice,
    case when has_price then PricingCurrencyContractedUnitPrice end as PricingCurrencyContractedUnitPrice,
    case when has_consumption then ConsumedQuantity end as ConsumedQuantity,
    case when has_consumption then ConsumedUnit end as ConsumedUnit,

    CommitmentDiscountId, CommitmentDiscountName, CommitmentDiscountType,
    commitment as CommitmentDiscountCategory, commitment_status as CommitmentDiscountStatus,
    case when has_commitment_quantity then CommitmentDiscountQuantity end as CommitmentDiscountQuantity,
    case when has_commitment_quantity then CommitmentDiscountUnit end as CommitmentDiscountUnit,
    CapacityReservationId, capacity_status as CapacityReservationStatus,
    cast(CommitmentProgramEligibilityDetails as varchar) as CommitmentProgramEligibilityDetails,
    -- 1.3 spelled two keys of this object otherwise
    replace(replace(cast(ContractApplied as varchar), '"ContractID"', '"ContractId"'),
        '"ContractCommitmentID"', '"ContractCommitmentId"') as ContractApplied,
    AllocatedMethodId, cast(AllocatedMethodDetails as varchar) as AllocatedMethodDetails,
    AllocatedResourceId, AllocatedResourceName, cast(AllocatedTags as varchar) as AllocatedTags,

    coalesce(x_Model, json_extract_string(SkuPriceDetails, '$.x_Model')) as x_Model,
    -- another producer's column of the same name may mean something else
    case when x_TokenKind in ('input_uncached', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'output')
        then x_TokenKind end as x_TokenKind,
    case when x_ServiceTier in ('standard', 'batch', 'priority', 'flex') then x_ServiceTier end as x_ServiceTier,
    x_ApiKeyId,
    nullif('{' || concat_ws(', ',
        case when category <> ChargeCategory then '"ChargeCategory": ' || to_json(ChargeCategory) end,
        case when class <> ChargeClass then '"ChargeClass": ' || to_json(ChargeClass) end,
        case when frequency <> ChargeFrequency then '"ChargeFrequency": ' || to_json(ChargeFrequency) end,
        case when commitment <> CommitmentDiscountCategory
            then '"CommitmentDiscountCategory": ' || to_json(CommitmentDiscountCategory) end,
        case when commitment_status is distinct from CommitmentDiscountStatus
            then '"CommitmentDiscountStatus": ' || coalesce(to_json(CommitmentDiscountStatus), 'null') end,
        case when capacity_status <> CapacityReservationStatus
            then '"CapacityReservationStatus": ' || to_json(CapacityReservationStatus) end,
        case when end_is_last_day
            then '"BillingPeriodEnd": ' || strftime(BillingPeriodEnd, '"%Y-%m-%dT%H:%M:%SZ"') end,
        case when InvoiceIssuerName is null then '"InvoiceIssuerName": null' end,
        case when is_project then '"SubAccountId": ' || to_json(SubAccountId) end,
        case when is_project or SubAccountId is null
            then '"SubAccountName": ' || to_json(SubAccountName) end,
        case when RegionId is null then '"RegionName": ' || to_json(RegionName) end,
        case when ResourceId is null then '"ResourceName": ' || to_json(ResourceName) end,
        case when ResourceId is null then '"ResourceType": ' || to_json(ResourceType) end,
        case when is_tax then '"SkuId": ' || to_json(SkuId) end,
        case when is_tax then '"SkuPriceId": ' || to_json(SkuPriceId) end,
        case when not has_price then '"SkuPriceDetails": ' || SkuPriceDetails end,
        case when has_tag_list then '"Tags": ' || Tags end,
        case when ContractedCost is null then '"ContractedCost": null' end,
        case when not has_price or pricing <> PricingCategory
            then '"PricingCategory": ' || to_json(PricingCategory) end,
        case when not has_pricing_quantity then '"PricingQuantity": ' || PricingQuantity end,
        case when not has_pricing_quantity then '"PricingUnit": ' || to_json(PricingUnit) end,
        case when not has_price then '"ListUnitPrice": ' || ListUnitPrice end,
        case when not has_price then '"ContractedUnitPrice": ' || ContractedUnitPrice end,
        case when not has_price then '"PricingCurrencyListUnitPrice": ' || PricingCurrencyListUnitPrice end,
        case when not has_price then '"PricingCurrencyContractedUnitPrice": ' || PricingCurrencyContractedUnitPrice end,
        case when not has_consumption then '"ConsumedQuantity": ' || ConsumedQuantity end,
        case when not has_consumption then '"ConsumedUnit": ' || to_json(ConsumedUnit) end,
        case when not has_commitment_quantity then '"CommitmentDiscountQuantity": ' || CommitmentDiscountQuantity end,
        case when not has_commitment_quantity then '"CommitmentDiscountUnit": ' || to_json(CommitmentDiscountUnit) end
    ) || '}', '{}') as x_Repairs,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from delivered
