-- FOCUS Cost and Usage export of any provider, 1.0 to 1.4 (and drafts before 1.0) → FOCUS 1.4.  One row in, one row out.
--   ProviderName and PublisherName (up to 1.3) become ServiceProviderName and HostProviderName: alike when the provider
--   sells its own service, publisher on provider's infrastructure when the service came from a marketplace.
--   What FOCUS 1.4 forbids is mended where it cannot stand, and x_Repairs then shows what was delivered:
--   spelling of allowed values, an inclusive BillingPeriodEnd, a region's name without its id, an absent ContractedCost
--   (ListCost: no negotiated price is known), prices and quantities without SkuPriceId, Tags as a list of pairs.
--   All else stands as delivered.
-- dataset: cost_and_usage
-- formats: csv, parquet
-- account: BillingAccountId
-- month: strftime(BillingPeriodStart, '%Y-%m')
-- billed: BilledCost in BillingCurrency
-- null: NULL
create table raw (
    BilledCost decimal(38, 18) not null, EffectiveCost decimal(38, 18) not null, ListCost decimal(38, 18) not null,
    ContractedCost decimal(38, 18),                                     -- not in drafts
    BillingCurrency varchar not null,
    BillingAccountId varchar not null, BillingAccountName varchar, BillingAccountType varchar,
    SubAccountId varchar, SubAccountName varchar, SubAccountType varchar,
    BillingPeriodStart timestamptz not null, BillingPeriodEnd timestamptz not null,
    ChargePeriodStart timestamptz not null, ChargePeriodEnd timestamptz not null,
    ChargeCategory varchar not null, ChargeClass varchar, ChargeDescription varchar, ChargeFrequency varchar,
    InvoiceIssuerName varchar not null, InvoiceId varchar, InvoiceDetailId varchar,
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
    x_Model varchar, x_TokenKind varchar, x_ServiceTier varchar, x_ApiKeyId varchar   -- ours, when the export is
);
with delivered as (
    select
        raw.*,
        SkuPriceId is not null as has_price,
        coalesce(json_type(Tags) = 'ARRAY', false) as has_tag_list,
        coalesce(category.value, ChargeCategory) as category,
        coalesce(class.value, ChargeClass) as class,
        coalesce(frequency.value, ChargeFrequency) as frequency,
        coalesce(pricing.value, PricingCategory) as pricing,
        coalesce(commitment.value, CommitmentDiscountCategory) as commitment,
        coalesce(commitment_status.value, CommitmentDiscountStatus) as commitment_status,
        coalesce(capacity_status.value, CapacityReservationStatus) as capacity_status,
        -- A month's last day as its end means that day included; billing periods that are no calendar month are left alone.
        extract(day from BillingPeriodStart) = 1 and cast(BillingPeriodEnd as date) = last_day(BillingPeriodStart)
            as end_is_last_day,
        coalesce(provider.provider, lower(ProviderName)) = coalesce(publisher.provider, lower(PublisherName))
            as is_first_party
    from raw
    left join focus_values as category on category.spelling = lower(ChargeCategory)
    left join focus_values as class on class.spelling = lower(ChargeClass)
    left join focus_values as frequency on frequency.spelling = lower(ChargeFrequency)
    left join focus_values as pricing on pricing.spelling = lower(PricingCategory)
    left join focus_values as commitment on commitment.spelling = lower(CommitmentDiscountCategory)
    left join focus_values as commitment_status on commitment_status.spelling = lower(CommitmentDiscountStatus)
    left join focus_values as capacity_status on capacity_status.spelling = lower(CapacityReservationStatus)
    left join focus_providers as provider on provider.spelling = lower(ProviderName)
    left join focus_providers as publisher on publisher.spelling = lower(PublisherName)
)
select
    BilledCost, EffectiveCost, coalesce(ContractedCost, ListCost) as ContractedCost, ListCost, BillingCurrency,
    BillingAccountId, BillingAccountName, BillingAccountType, SubAccountId, SubAccountName, SubAccountType,
    BillingPeriodStart,
    case when end_is_last_day then BillingPeriodEnd + interval 1 day else BillingPeriodEnd end as BillingPeriodEnd,
    ChargePeriodStart, ChargePeriodEnd,
    category as ChargeCategory, class as ChargeClass, ChargeDescription, frequency as ChargeFrequency,
    InvoiceIssuerName, InvoiceId, InvoiceDetailId,

    case
        when ServiceProviderName is not null then ServiceProviderName
        when is_first_party or PublisherName is null then ProviderName
        else PublisherName
    end as ServiceProviderName,
    case when ServiceProviderName is not null then HostProviderName else ProviderName end as HostProviderName,

    ServiceCategory, ServiceSubcategory, ServiceName,
    RegionId, case when RegionId is not null then RegionName end as RegionName, AvailabilityZone,
    ResourceId, ResourceName, ResourceType,
    case
        when has_tag_list then nullif(cast(to_json(map_from_entries(list_filter(
            from_json(Tags, '[{"key": "VARCHAR", "value": "VARCHAR"}]'),
            -- a JSON object holds a key once: the first of the list stays
            lambda tag, i: tag.key is not null and list_position(json_extract_string(Tags, '$[*].key'), tag.key) = i
        ))) as varchar), '{}')
        else cast(Tags as varchar)
    end as Tags,

    SkuId, SkuMeter, SkuPriceId, cast(SkuPriceDetails as varchar) as SkuPriceDetails,
    case when has_price then pricing end as PricingCategory,
    PricingCurrency, PricingCurrencyEffectiveCost,
    case when has_price then PricingQuantity end as PricingQuantity,
    case when has_price then PricingUnit end as PricingUnit,
    case when has_price then ListUnitPrice end as ListUnitPrice,
    case when has_price then ContractedUnitPrice end as ContractedUnitPrice,
    case when has_price then PricingCurrencyListUnitPrice end as PricingCurrencyListUnitPrice,
    case when has_price then PricingCurrencyContractedUnitPrice end as PricingCurrencyContractedUnitPrice,
    case when has_price then ConsumedQuantity end as ConsumedQuantity,
    case when has_price then ConsumedUnit end as ConsumedUnit,

    CommitmentDiscountId, CommitmentDiscountName, CommitmentDiscountType,
    commitment as CommitmentDiscountCategory, commitment_status as CommitmentDiscountStatus,
    case when has_price then CommitmentDiscountQuantity end as CommitmentDiscountQuantity,
    case when has_price then CommitmentDiscountUnit end as CommitmentDiscountUnit,
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
        case when commitment_status <> CommitmentDiscountStatus
            then '"CommitmentDiscountStatus": ' || to_json(CommitmentDiscountStatus) end,
        case when capacity_status <> CapacityReservationStatus
            then '"CapacityReservationStatus": ' || to_json(CapacityReservationStatus) end,
        case when end_is_last_day
            then '"BillingPeriodEnd": ' || strftime(BillingPeriodEnd, '"%Y-%m-%dT%H:%M:%SZ"') end,
        case when RegionId is null then '"RegionName": ' || to_json(RegionName) end,
        case when has_tag_list then '"Tags": ' || Tags end,
        case when ContractedCost is null then '"ContractedCost": null' end,
        case when not has_price or pricing <> PricingCategory
            then '"PricingCategory": ' || to_json(PricingCategory) end,
        case when not has_price then '"PricingQuantity": ' || PricingQuantity end,
        case when not has_price then '"PricingUnit": ' || to_json(PricingUnit) end,
        case when not has_price then '"ListUnitPrice": ' || ListUnitPrice end,
        case when not has_price then '"ContractedUnitPrice": ' || ContractedUnitPrice end,
        case when not has_price then '"PricingCurrencyListUnitPrice": ' || PricingCurrencyListUnitPrice end,
        case when not has_price then '"PricingCurrencyContractedUnitPrice": ' || PricingCurrencyContractedUnitPrice end,
        case when not has_price then '"ConsumedQuantity": ' || ConsumedQuantity end,
        case when not has_price then '"ConsumedUnit": ' || to_json(ConsumedUnit) end,
        case when not has_price then '"CommitmentDiscountQuantity": ' || CommitmentDiscountQuantity end,
        case when not has_price then '"CommitmentDiscountUnit": ' || to_json(CommitmentDiscountUnit) end
    ) || '}', '{}') as x_Repairs,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from delivered
