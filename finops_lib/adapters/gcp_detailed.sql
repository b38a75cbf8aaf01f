-- Google Cloud billing export to BigQuery, detailed or standard, nested or flattened → FOCUS Cost and Usage.
--   One line in, one charge out, and one more charge for each credit that is money given rather than a lower price:
--   discounts (committed and sustained use, negotiated, free tier, reseller, subscription, and the offset of a
--   commitment's fee) lower BilledCost of the line itself; promotions and kinds not known here are Credit charges.
--   Google spreads no commitment: usage it covers is billed at 0 or at its lower price and the fee where it was charged,
--   so EffectiveCost is BilledCost on every line, as in Google's own FOCUS view.
-- dataset: cost_and_usage
-- formats: json, parquet, csv
-- account: billing_account_id
-- month: invoice.month[1:4] || '-' || invoice.month[5:6]
-- bucket: x_Partition
-- null: NULL, null
-- billed: cost + coalesce(list_sum([credit.amount for credit in credits]), 0) in currency
-- conserves: EffectiveCost from x_billed
-- conserves: ContractedCost from cost + coalesce(list_sum([credit.amount for credit in credits if not gcp_lowers_price(credit.type)]), 0)
-- conserves: ListCost from coalesce(cost_at_list, cost) + coalesce(list_sum([credit.amount for credit in credits if not gcp_lowers_price(credit.type)]), 0)
-- origin: ChargeCategory from cost_type
-- origin: ChargeFrequency from cost_type
-- origin: BillingPeriodStart from invoice.month
-- origin: BilledCost from credits
-- quirk: The table has no row ids and is only ever appended to: delivered with its partition_date (or _PARTITIONDATE,
-- quirk: _PARTITIONTIME), a partition replaces itself and nothing else; without one, the delivery replaces its months.
-- quirk: Late usage comes in a later partition and is filed by invoice.month, whose months are Pacific.
-- quirk: In the flattened CSV form, credits may be a list as Python prints it.
-- quirk: Token SKUs of Gemini are counted as count or requests; they are shown as Tokens, with model, kind and tier.
-- quirk: usage.unit is a base unit (bytes, seconds), so PricingQuantity is usage.amount_in_pricing_units.
-- not covered: Two snapshots of one partition in the same call add up; deliver them one after the other.
-- not covered: Names of partner models on Vertex AI, except Model as a Service; their SKUs keep their description.
-- not covered: cloud_pricing_export and cud_subscriptions_export.
create table raw (
    billing_account_id varchar not null,
    invoice struct("month" varchar, publisher_type varchar) not null,
    cost_type varchar not null, cost decimal(38, 18) not null, currency varchar not null,
    credits struct("name" varchar, full_name varchar, id varchar, "type" varchar, amount decimal(38, 18))[],
    cost_at_list decimal(38, 18),
    usage_start_time timestamptz not null, usage_end_time timestamptz not null,
    service struct(id varchar, description varchar) not null, sku struct(id varchar, description varchar) not null,
    "usage" struct(amount decimal(38, 18), unit varchar,
        amount_in_pricing_units decimal(38, 18), pricing_unit varchar),                 -- NULL on tax and adjustments
    price struct(effective_price decimal(38, 18), list_price decimal(38, 18),
        tier_start_amount decimal(38, 18), pricing_unit_quantity decimal(38, 18)),      -- not in the standard export
    project struct(id varchar, "name" varchar, labels struct("key" varchar, "value" varchar)[]),
    labels struct("key" varchar, "value" varchar)[], system_labels struct("key" varchar, "value" varchar)[],
    tags struct("key" varchar, "value" varchar, inherited varchar, namespace varchar)[],
    location struct(region varchar, zone varchar),
    resource struct("name" varchar, global_name varchar),                               -- not in the standard export
    subscription struct(instance_id varchar), consumption_model struct(applied_subscription_instance_id varchar),
    adjustment_info struct(id varchar, description varchar), seller_name varchar,
    partition_date timestamptz
);
with kinds(charge_kind, category, frequency) as (values
    ('regular', 'Usage', 'Usage-Based'), ('commitment', 'Purchase', 'Recurring'), ('tax', 'Tax', 'Recurring'),
    ('adjustment', 'Adjustment', 'One-Time'), ('rounding_error', 'Adjustment', 'One-Time'), ('credit', 'Credit', 'One-Time')
),
lines as (
    select
        *,
        [credit for credit in credits if not gcp_lowers_price(credit.type)] as given,
        case
            when not coalesce(list_contains([credit.amount is null for credit in credits], true), false)
                then cost + coalesce(list_sum([credit.amount for credit in credits]), 0)
        end as cost_after_credits,
        cost_type = 'regular' and sku.description like 'Commitment%' as is_commitment,
        lower(sku.description) as words,
        regexp_extract(
            words,
            '^(?:generate content .*)?gemini ([0-9.]+) ((?:pro|flash[ -]lite|flash|live)(?: (?:tts|live|cyber))?)\b',
            ['version', 'variant']
        ) as gemini,
        case
            when gemini['version'] <> '' then replace('gemini ' || gemini['version'] || ' ' || gemini['variant'], ' ', '-')
            else replace(
                nullif(regexp_extract(words, 'model as a service (.+?) (?:cached )?(?:input|output)', 1), ''), ' ', '-'
            )
        end as model,
        -- Vertex AI billed Gemini 1 by the character; cached input is stored by the hour.
        model is not null and regexp_matches(words, 'input|output') and not contains(words, 'storage')
            and "usage".unit in ('count', 'requests')
            and (not starts_with(gemini['version'], '1') or contains(words, 'token count')) as is_tokens,
        -- Of a key that is there several times the first stays: the resource's own label before its tag (often inherited)
        -- before its project's label.
        list_concat(
            [{'key': label.key, 'value': label.value} for label in labels],
            [{'key': tag.key, 'value': tag.value} for tag in tags], project.labels, system_labels
        ) as labelled,
        -- "Text Input - Predictions", "Input Text Caching", "… short input text batch"
        coalesce(
            nullif(regexp_extract(words, '(text|image|audio|video) (?:input|output)', 1), ''),
            nullif(regexp_extract(words, '(?:input|output) (text|image|audio|video)', 1), ''),
            regexp_extract(words, '(text|image|audio|video)(?: (?:batch|flex|priority))?$', 1)
        ) as modality
    from raw
),
charges as (
    select
        *,
        -- the line itself, then each credit given
        unnest(list_prepend(null, given)) as credit,
        generate_subscripts(list_prepend(null, given), 1) as part
    from lines
),
priced as (
    select
        *,
        case
            when credit is not null then 'credit'
            when is_commitment then 'commitment'
            else cost_type
        end as kind,
        coalesce(
            credit.amount, cost_after_credits - coalesce(list_sum([other.amount for other in given]), 0)
        ) as billed,
        coalesce(credit.amount, cost) as contracted,
        coalesce(credit.amount, cost_at_list, cost) as list,
        credit is null and cost_type = 'regular' as has_price,
        case when has_price then "usage".amount_in_pricing_units end as quantity,
        -- A unit price is given where quantity × price is the delivered cost to the last digit; elsewhere Google rounded.
        case
            when coalesce(price.pricing_unit_quantity, 1) = 1 and try_cast(quantity as decimal(19, 9)) = quantity
                then try_cast(quantity as decimal(19, 9))
        end as exact_quantity,
        case
            when is_commitment then subscription.instance_id
            when has_price then consumption_model.applied_subscription_instance_id
        end as commitment_id
    from charges
)
select
    billed as BilledCost, billed as EffectiveCost, contracted as ContractedCost,
    list as ListCost,                              -- where no list cost was delivered: before discounts, no lower is known
    currency as BillingCurrency,
    billing_account_id as BillingAccountId, project.id as SubAccountId, project.name as SubAccountName,
    case when project.id is not null then 'Project' end as SubAccountType,

    -- Google's invoice months are Pacific. They keep their name here, as the UTC month of that name: the invoice of
    -- 2026-10 is in 2026-10, although its first hours of usage are of 2026-10-01 07:00 UTC.
    cast(try_strptime(invoice.month, '%Y%m') as timestamptz) as BillingPeriodStart,
    cast(try_strptime(invoice.month, '%Y%m') + interval 1 month as timestamptz) as BillingPeriodEnd,
    usage_start_time as ChargePeriodStart, usage_end_time as ChargePeriodEnd,

    kinds.category as ChargeCategory, kinds.frequency as ChargeFrequency,
    -- An adjustment of usage before the invoice's month corrects an invoice that was already sent.
    case
        when adjustment_info.id is not null
            and strftime(timezone('America/Los_Angeles', usage_start_time), '%Y%m') < invoice.month then 'Correction'
    end as ChargeClass,
    coalesce(credit.full_name, credit.name, adjustment_info.description, sku.description) as ChargeDescription,

    case when invoice.publisher_type = 'PARTNER' then coalesce(seller_name, 'Google Cloud') else 'Google Cloud' end
        as ServiceProviderName,
    'Google Cloud' as HostProviderName, 'Google Cloud' as InvoiceIssuerName,
    case when model is not null then 'AI and Machine Learning' else coalesce(gcp_services.category, 'Other') end
        as ServiceCategory,
    case when model is not null then 'Generative AI' else coalesce(gcp_services.subcategory, 'Other (Other)') end
        as ServiceSubcategory,
    service.description as ServiceName,
    nullif(location.region, '') as RegionId, gcp_regions.name as RegionName, nullif(location.zone, '') as AvailabilityZone,
    case when is_commitment then commitment_id else coalesce(resource.global_name, resource.name) end as ResourceId,
    case when not is_commitment then resource.name end as ResourceName,
    nullif(cast(to_json(map_from_entries([
        label for label, i in labelled
        if label.key is not null and list_position([other.key for other in labelled], label.key) = i
    ])) as varchar), '{}') as Tags,

    case when kind <> 'tax' then sku.id end as SkuId,
    case when kind <> 'tax' then sku.description end as SkuMeter,
    case when has_price then concat_ws('/', sku.id,
        rtrim(rtrim(cast(price.tier_start_amount as varchar), '0'), '.')) end as SkuPriceId,
    case
        when has_price and regexp_matches(sku.description, '^Nvidia .* GPU ')
            then json_object('GpuCount', 1, 'x_GpuModel', regexp_extract(sku.description, '^(.*?) GPU ', 1))
        when has_price and is_tokens and modality <> '' then json_object('x_Modality', modality)
    end as SkuPriceDetails,
    case
        when not has_price then null
        when commitment_id is not null and not is_commitment then 'Committed'
        when regexp_matches(sku.description, 'Spot|Preemptible') then 'Dynamic'
        else 'Standard'
    end as PricingCategory,
    quantity as PricingQuantity,
    case
        when quantity is null then null
        when is_tokens and "usage".pricing_unit = "usage".unit then 'Tokens'
        else coalesce(pricing_unit.name, "usage".pricing_unit)
    end as PricingUnit,
    case when exact_quantity * try_cast(price.list_price as decimal(19, 9)) = list then price.list_price end
        as ListUnitPrice,
    case when exact_quantity * try_cast(price.effective_price as decimal(19, 9)) = contracted then price.effective_price end
        as ContractedUnitPrice,
    case when has_price and not is_commitment then "usage".amount end as ConsumedQuantity,
    case
        when ConsumedQuantity is null then null
        when is_tokens then 'Tokens'
        else coalesce(unit.name, "usage".unit)
    end as ConsumedUnit,

    commitment_id as CommitmentDiscountId,
    case when commitment_id is not null then 'Committed Use Discount' end as CommitmentDiscountType,
    -- Only commitments to spend have a consumption model.
    case
        when commitment_id is null then null
        when is_commitment and not contains(lower(sku.description), 'dollar') then 'Usage'
        else 'Spend'
    end as CommitmentDiscountCategory,
    case when commitment_id is not null and not is_commitment then 'Used' end as CommitmentDiscountStatus,

    model as x_Model,
    case
        when not is_tokens then null
        when contains(words, 'output') then 'output'
        when contains(words, 'cach') then 'cache_read'
        else 'input_uncached'
    end as x_TokenKind,
    case
        when not is_tokens then null
        when contains(words, 'offpeak') then null
        when contains(words, 'batch') then 'batch'
        when contains(words, 'priority') then 'priority'
        when contains(words, 'flex') then 'flex'
        else 'standard'
    end as x_ServiceTier,
    strftime(partition_date, '%Y-%m-%d') as x_Partition,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow, part as x_SourcePart
from priced
left join kinds on charge_kind = kind
left join gcp_services on service_name = service.description
left join gcp_regions on region_id = location.region
left join gcp_units as unit on unit.delivered_unit = "usage".unit
left join gcp_units as pricing_unit on pricing_unit.delivered_unit = "usage".pricing_unit
