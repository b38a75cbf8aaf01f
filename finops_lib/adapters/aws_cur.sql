-- AWS Cost and Usage Report (legacy and 2.0) → FOCUS Cost and Usage.  One line item in, one charge out, except that
--   a recurring commitment fee is two charges: the purchase (part 1) and what nobody used of it (part 2),
--   a SavingsPlanNegation is none: the usage it negates is billed at 0 instead. What the two do not cancel to the
--     last digit (rounding of the export, or a report cut before its negations) is one Adjustment per account and
--     service (part 3), so that no money of the file is lost.
-- dataset: cost_and_usage
-- formats: csv, parquet
-- key: identity_line_item_id, identity_time_interval, line_item_line_item_type, line_item_unblended_cost, line_item_usage_amount, line_item_resource_id
-- account: bill_payer_account_id
-- month: strftime(make_timestamp(epoch_us(bill_billing_period_start_date)), '%Y-%m')
-- origin: ChargeCategory from line_item_line_item_type
-- origin: BilledCost from line_item_unblended_cost
-- null: NULL, null
-- billed: case when line_item_net_unblended_cost is null and line_item_line_item_type like '%Discount' and (bill_payer_account_id, bill_billing_period_start_date) in (select (bill_payer_account_id, bill_billing_period_start_date) from raw where line_item_net_unblended_cost is not null) then 0 else coalesce(line_item_net_unblended_cost, line_item_unblended_cost) end in line_item_currency_code
-- conserves: EffectiveCost from case line_item_line_item_type when 'Usage' then x_billed when 'SavingsPlanCoveredUsage' then coalesce(savings_plan_net_savings_plan_effective_cost, savings_plan_savings_plan_effective_cost) when 'DiscountedUsage' then coalesce(reservation_net_effective_cost, reservation_effective_cost) when 'SavingsPlanNegation' then 0 when 'SavingsPlanUpfrontFee' then 0 when 'SavingsPlanRecurringFee' then aws_discounted(savings_plan_total_commitment_to_date - savings_plan_used_commitment, savings_plan_net_recurring_commitment_for_billing_period + savings_plan_net_amortized_upfront_commitment_for_billing_period, savings_plan_recurring_commitment_for_billing_period + savings_plan_amortized_upfront_commitment_for_billing_period, line_item_net_unblended_cost, line_item_unblended_cost) when 'RIFee' then list_sum([coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee), coalesce(reservation_net_unused_amortized_upfront_fee_for_billing_period, reservation_unused_amortized_upfront_fee_for_billing_period)]) else if(line_item_line_item_type in ('Fee', 'Refund') and coalesce(savings_plan_savings_plan_arn, reservation_reservation_arn) is not null, 0, x_billed) end
-- conserves: ListCost from case when line_item_line_item_type in ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage') then coalesce(nullif(pricing_public_on_demand_cost, 0), x_billed) when line_item_line_item_type like '%Discount' or line_item_line_item_type = 'SavingsPlanNegation' then 0 else x_billed end
-- quirk: Where a payer's month has net costs they are BilledCost on every row, and a discount row without a net cost is 0, because the net cost of the usage it discounts already contains it.
-- quirk: Without net costs a discount row (EDP, private rate, bundled, reseller, volume) stays a charge of its own: its amount is in Billed-, Contracted- and EffectiveCost, never in ListCost.
-- quirk: An upfront fee is billed in its month and has EffectiveCost 0; each month's share of it comes back as the EffectiveCost of covered usage and of the unused part, also in months that bill nothing.
-- quirk: Split cost rows (EKS pods, ECS tasks) keep the cost of 0 they are delivered with, because the instance's row carries the money; their share of it is in x_SplitCost and x_SplitUnusedCost.
-- quirk: Bedrock's usage types say model, token kind, cache TTL, tier and region scope in four spellings; quantities in thousands or millions of tokens are ConsumedQuantity in single tokens.
-- quirk: Models of third parties are sold through AWS Marketplace as an "Amazon Bedrock Edition"; they are Bedrock, not a Marketplace product.
-- quirk: A publicOnDemandCost of 0 beside a cost means that there is no public price; ListCost is then the cost.
-- quirk: Unit prices are given only where price times quantity is the cost to the last digit.
-- quirk: A month or an hour that ends at 59:59 ends at the next full hour.
-- not covered: A report that shows discounts in its discount map but was exported without net costs states the cost before those discounts; x_Discounts shows them.
-- not covered: Blended costs and rates; AWS computes them for display only.
-- not covered: Models of Bedrock's images, videos, provisioned throughput and customised models: their charges are read, x_Model is empty.
-- not covered: A cache write with a TTL other than 5 minutes or 1 hour has no x_TokenKind; its TTL is in SkuPriceDetails.
create table raw (
    bill_payer_account_id varchar not null,
    bill_payer_account_name varchar,
    bill_billing_period_start_date timestamptz not null,
    bill_billing_entity varchar,                    -- 'AWS' or 'AWS Marketplace'
    bill_invoice_id varchar,                        -- empty while the month is open
    bill_invoicing_entity varchar,

    identity_line_item_id varchar,
    identity_time_interval varchar,                 -- start/end, where the usage dates were not selected
    line_item_usage_account_id varchar,
    line_item_usage_account_name varchar,
    line_item_line_item_type varchar not null,
    line_item_line_item_description varchar,
    line_item_legal_entity varchar,
    line_item_product_code varchar,
    line_item_usage_type varchar,
    line_item_resource_id varchar,
    line_item_availability_zone varchar,
    line_item_usage_start_date timestamptz,
    line_item_usage_end_date timestamptz,
    line_item_usage_amount decimal(38, 18),
    line_item_currency_code varchar not null,
    line_item_unblended_rate decimal(38, 18),
    line_item_net_unblended_rate decimal(38, 18),
    line_item_unblended_cost decimal(38, 18),       -- one of the two costs must be there
    line_item_net_unblended_cost decimal(38, 18),

    pricing_unit varchar,
    pricing_rate_code varchar,
    pricing_public_on_demand_rate decimal(38, 18),
    pricing_public_on_demand_cost decimal(38, 18),

    -- The same numbers to 9 decimals, see headers.csv: their product fits a DECIMAL(38,18). Read from the text they are
    -- cheap; narrowing a DECIMAL(38,18) takes a division of 128 bits and costs twenty times as much.
    usage_amount_9 decimal(29, 9),
    unblended_rate_9 decimal(18, 9),
    net_unblended_rate_9 decimal(18, 9),
    public_on_demand_rate_9 decimal(18, 9),

    product_map map(varchar, varchar),              -- `product` of 2.0: what the legacy report has as columns
    product_product_name varchar,
    product_servicecode varchar,
    product_sku varchar,
    product_product_family varchar,
    product_instance_type varchar,
    product_region varchar,
    product_region_code varchar,

    reservation_reservation_arn varchar,
    reservation_effective_cost decimal(38, 18),
    reservation_net_effective_cost decimal(38, 18),
    reservation_unused_quantity decimal(38, 18),
    reservation_unused_recurring_fee decimal(38, 18),
    reservation_net_unused_recurring_fee decimal(38, 18),
    reservation_unused_amortized_upfront_fee_for_billing_period decimal(38, 18),
    reservation_net_unused_amortized_upfront_fee_for_billing_period decimal(38, 18),

    savings_plan_savings_plan_arn varchar,
    savings_plan_savings_plan_effective_cost decimal(38, 18),
    savings_plan_net_savings_plan_effective_cost decimal(38, 18),
    savings_plan_total_commitment_to_date decimal(38, 18),
    savings_plan_used_commitment decimal(38, 18),
    savings_plan_recurring_commitment_for_billing_period decimal(38, 18),
    savings_plan_net_recurring_commitment_for_billing_period decimal(38, 18),
    savings_plan_amortized_upfront_commitment_for_billing_period decimal(38, 18),
    savings_plan_net_amortized_upfront_commitment_for_billing_period decimal(38, 18),

    capacity_reservation_capacity_reservation_arn varchar,
    capacity_reservation_capacity_reservation_status varchar,       -- Used, Unused, Reserved, Cancelled

    split_line_item_parent_resource_id varchar,
    split_line_item_split_cost decimal(38, 18),
    split_line_item_net_split_cost decimal(38, 18),
    split_line_item_unused_cost decimal(38, 18),
    split_line_item_net_unused_cost decimal(38, 18),

    -- each one a map, JSON text, or a column per key
    resource_tags json,                             -- legacy: resourceTags/user:team, 2.0: {"user_team": …}
    cost_category json,
    discount json
);

with kinds(kind, category, frequency) as (values    -- a kind missing here leaves ChargeCategory NULL, which the lake refuses
    ('Usage', 'Usage', 'Usage-Based'),
    ('DiscountedUsage', 'Usage', 'Usage-Based'),            -- covered by a reservation
    ('SavingsPlanCoveredUsage', 'Usage', 'Usage-Based'),
    ('SavingsPlanRecurringFee', 'Purchase', 'Recurring'),
    ('SavingsPlanUpfrontFee', 'Purchase', 'One-Time'),
    ('RIFee', 'Purchase', 'Recurring'),
    ('Fee', 'Purchase', 'One-Time'),
    ('FlatRateSubscription', 'Purchase', 'Recurring'),      -- plans and seats at a monthly price
    ('Refund', 'Usage', 'One-Time'),                        -- a Purchase where it refunds a commitment, see below
    ('Credit', 'Credit', 'One-Time'),
    ('Tax', 'Tax', 'Recurring'),
    -- A negotiated price that the report shows as a row of its own lowers the price of usage, it is no credit:
    -- as Usage with a ContractedCost and no ListCost it makes both costs of the service right.
    ('Discount', 'Usage', 'Usage-Based'),
    ('EdpDiscount', 'Usage', 'Usage-Based'),
    ('PrivateRateDiscount', 'Usage', 'Usage-Based'),
    ('BundledDiscount', 'Usage', 'Usage-Based'),
    ('RiVolumeDiscount', 'Usage', 'Usage-Based'),
    ('SppDiscount', 'Usage', 'Usage-Based')                 -- a partner's share
),
shapes(shape, part) as (values ('line', 1), ('fee', 1), ('fee', 2)),
net_months as (
    select distinct bill_payer_account_id, bill_billing_period_start_date
    from raw
    where line_item_net_unblended_cost is not null
),
named as (
    select
        *,
        line_item_line_item_type as kind,
        kind like '%Discount' as is_discount,
        coalesce(line_item_usage_start_date, try_cast(split_part(identity_time_interval, '/', 1) as timestamptz)) as usage_start,
        coalesce(line_item_usage_end_date, try_cast(split_part(identity_time_interval, '/', 2) as timestamptz)) as given_end,
        case                                                -- some writers end a month at 23:59:59
            when epoch_us(given_end) % 3600000000 >= 3599000000 then make_timestamptz(epoch_us(given_end) // 3600000000 * 3600000000 + 3600000000)
            else given_end
        end as usage_end,
        case
            when kind in ('SavingsPlanCoveredUsage', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee', 'DiscountedUsage', 'RIFee', 'Fee', 'Refund')
            then coalesce(savings_plan_savings_plan_arn, reservation_reservation_arn)
        end as commitment_id,
        coalesce(product_region_code, product_region, product_map['region']) as region,
        coalesce(
            case    -- matching alone takes half as long as extracting
                when regexp_matches(line_item_usage_type, ':(?:[a-z]+\.)?[a-z][a-z0-9-]*\.(?:metal|nano|micro|small|medium|[0-9]*x?large)[a-z0-9-]*$')
                then split_part(line_item_usage_type, ':', -1)
            end,
            product_instance_type
        ) as instance_type,
        case
            when bill_billing_entity = 'AWS Marketplace' or contains(line_item_usage_type, 'MP:')
            then coalesce(product_product_name, product_map['product_name'], product_map['ProductName'])
        end as sold_as,
        sold_as like '%(Amazon Bedrock Edition)' as is_edition,
        case when contains(line_item_usage_type, 'oken') and (line_item_product_code like 'AmazonBedrock%' or is_edition) then line_item_usage_type end as token_type,
        -- USE1-Claude4.6Opus-cache-read-input-token-count-cross-region-global, USE1-Nova2.0Pro-text-input-tokens-priority,
        -- USW2-anthropic.claude-opus-4-8-mantle-cache-write-tokens-1h-global-standard
        regexp_extract(
            case when not is_edition or is_edition is null then token_type end,
            '^(?:[A-Z]{3,4}[1-9]-|EU-)?(.+?)(?:-(text|image|video|audio|speech))?-(?:mantle-)?(cache-read|cache-write|input|output)((?:-[a-z0-9]+)*?)-tokens?(?:-count)?((?:-.*)?)$',
            ['meter', 'modality', 'direction', 'between', 'rest']
        ) as metered,
        -- USW2-MP:USW2_CacheWrite1hInputTokenCount_Global-Units, USE1-MP:USE1_cache_write_tokens_1h_global_standard-Units
        -- of "Claude 3.5 Sonnet (Amazon Bedrock Edition)"
        regexp_extract(
            case when is_edition then lower(token_type) end,
            '(cache_?read|cache_?write|input|output)_?(1h|5m|30m)?_?(?:input_?)?tokens?_?(?:count)?(.*?)(?:-units)?$',
            ['direction', 'between', 'rest']
        ) as edition
    from raw
),
tokens as (
    select
        *,
        replace(replace(coalesce(nullif(metered.direction, ''), nullif(edition.direction, '')), '-', ''), '_', '') as direction,
        case when direction is not null then concat(metered.between, '-', metered.rest, edition.between, '-', lower(edition.rest)) end as suffix,
        case when direction is not null then coalesce(nullif(metered.meter, ''), replace(sold_as, ' (Amazon Bedrock Edition)', '')) end as meter,
        case
            when direction = 'cachewrite' then coalesce(nullif(replace(regexp_extract(suffix, '[-_]([0-9]+-?[hm])(?:our|in)?s?(?:[-_]|$)', 1), '-', ''), ''), '5m')
        end as cache_ttl,
        case when direction is not null then coalesce(nullif(metered.modality, ''), nullif(regexp_extract(suffix, '(image|video|audio|speech)', 1), '')) end as modality
    from named
),
lines as (
    select
        tokens.*,
        case
            when line_item_net_unblended_cost is null and is_discount and net_months.bill_payer_account_id is not null then 0
            else coalesce(line_item_net_unblended_cost, line_item_unblended_cost)
        end as cost,
        case when kind = 'Refund' and commitment_id is not null then 'Purchase' else kinds.category end as category,
        kinds.frequency,
        coalesce(service_name, sold_as, product_product_name, product_map['product_name'], product_map['ProductName'], line_item_product_code, product_servicecode) as service,
        aws_services.service_category,
        aws_services.service_subcategory,
        aws_regions.region_name,
        aws_gpu_instances.gpu_count,
        coalesce(aws_units.focus_unit, pricing_unit) as unit,
        case when is_edition and contains(lower(line_item_line_item_description), 'million') then 1000000 else cast(aws_units.tokens as integer) end as tokens_per_unit,
        case kind
            -- The report has no net figure for what a savings plan left unused: it is discounted like the whole commitment.
            when 'SavingsPlanRecurringFee' then aws_discounted(
                savings_plan_total_commitment_to_date - savings_plan_used_commitment,
                savings_plan_net_recurring_commitment_for_billing_period + savings_plan_net_amortized_upfront_commitment_for_billing_period,
                savings_plan_recurring_commitment_for_billing_period + savings_plan_amortized_upfront_commitment_for_billing_period,
                line_item_net_unblended_cost, line_item_unblended_cost
            )
            when 'RIFee' then list_sum([
                coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee),
                coalesce(reservation_net_unused_amortized_upfront_fee_for_billing_period, reservation_unused_amortized_upfront_fee_for_billing_period)
            ])
        end as unused_cost
    from tokens
    left join net_months using (bill_payer_account_id, bill_billing_period_start_date)
    left join kinds using (kind)
    left join aws_services on product_code = coalesce(line_item_product_code, product_servicecode)
    left join aws_regions on region_id = region
    left join aws_gpu_instances on gpu_instance_type = if(instance_type like 'ml.%', regexp_extract(instance_type, '^ml\.([a-z0-9-]+\.[a-z0-9]+)', 1), instance_type)
    left join aws_units on aws_units.delivered_unit = pricing_unit
    where kind <> 'SavingsPlanNegation'
),
charges as (
    select
        *,
        part = 2 as is_unused,
        kind in ('SavingsPlanCoveredUsage', 'DiscountedUsage') as is_covered,
        category = 'Purchase' and (commitment_id is not null or kind not in ('Fee', 'FlatRateSubscription')) as buys_commitment,
        case when category in ('Usage', 'Purchase') then coalesce(product_sku, nullif(split_part(pricing_rate_code, '.', 1), ''), line_item_usage_type) end as sku,    -- a rate code begins with its SKU; without either the usage type says what was bought
        case when sku is not null then coalesce(pricing_rate_code, sku) end as sku_price,
        case when sku is not null and not is_discount and kind <> 'Refund' and not is_unused and unit is not null then line_item_usage_amount end as quantity,
        case
            when is_unused then 0
            when is_discount then 0
            when category = 'Usage' and kind <> 'Refund' then coalesce(nullif(pricing_public_on_demand_cost, 0), cost)    -- 0 also stands for "no public price" (Marketplace)
            else cost
        end as list_cost,
        case
            when is_unused then 0
            when kind = 'DiscountedUsage' then list_cost    -- the report has no negotiated on-demand price beside a reservation
            else cost
        end as contracted_cost,
        case
            when is_unused then unused_cost
            when kind = 'SavingsPlanCoveredUsage' then coalesce(savings_plan_net_savings_plan_effective_cost, savings_plan_savings_plan_effective_cost)
            when kind = 'DiscountedUsage' then coalesce(reservation_net_effective_cost, reservation_effective_cost)
            when buys_commitment then 0
            else cost
        end as effective_cost,
        coalesce(line_item_net_unblended_rate, line_item_unblended_rate) as rate,
        coalesce(net_unblended_rate_9, unblended_rate_9) as rate_9,
        usage_amount_9 = quantity as is_exact               -- finer quantities and prices stay without a unit price
    from lines
    join shapes on shape = case when kind in ('SavingsPlanRecurringFee', 'RIFee') and unused_cost is distinct from 0 then 'fee' else 'line' end
),
uncancelled as (
    select
        bill_payer_account_id,
        min(bill_payer_account_name) as payer_name,
        bill_billing_period_start_date,
        line_item_usage_account_id,
        min(line_item_usage_account_name) as account_name,
        coalesce(line_item_product_code, product_servicecode) as code,
        min(product_product_name) as product_name,
        line_item_currency_code,
        min(bill_invoice_id) as invoice_id,
        min({'file': x_source_file, 'row': x_source_row}) as source,
        sum(coalesce(line_item_net_unblended_cost, line_item_unblended_cost)) as cost
    from raw
    where line_item_line_item_type in ('SavingsPlanCoveredUsage', 'SavingsPlanNegation')
    group by all
    having sum(coalesce(line_item_net_unblended_cost, line_item_unblended_cost)) <> 0
)
select
    bill_payer_account_id as BillingAccountId,
    bill_payer_account_name as BillingAccountName,
    'Management Account' as BillingAccountType,
    line_item_usage_account_id as SubAccountId,
    line_item_usage_account_name as SubAccountName,
    case when line_item_usage_account_id is not null then 'Account' end as SubAccountType,
    case
        when bill_billing_entity = 'AWS Marketplace' and is_edition is distinct from true and line_item_legal_entity not like 'Amazon%' and line_item_legal_entity not like 'AWS%' then line_item_legal_entity
        else 'AWS'
    end as ServiceProviderName,
    'AWS' as HostProviderName,
    case when bill_invoicing_entity not like 'Amazon%' and bill_invoicing_entity not like 'AWS%' then bill_invoicing_entity else 'AWS' end as InvoiceIssuerName,
    bill_invoice_id as InvoiceId,

    bill_billing_period_start_date as BillingPeriodStart,
    -- A month is added to the plain timestamp: on an instant with a time zone that takes twenty times as long.
    make_timestamptz(epoch_us(make_timestamp(epoch_us(bill_billing_period_start_date)) + interval 1 month)) as BillingPeriodEnd,
    usage_start as ChargePeriodStart,
    usage_end as ChargePeriodEnd,

    case when is_unused then 'Usage' else category end as ChargeCategory,
    case when kind = 'Refund' and usage_start < bill_billing_period_start_date then 'Correction' end as ChargeClass,    -- only what corrects an earlier month
    case when is_unused then 'Usage-Based' else coalesce(frequency, 'Usage-Based') end as ChargeFrequency,    -- an unknown kind is refused for its category alone
    line_item_line_item_description as ChargeDescription,

    if(is_edition, 'Amazon Bedrock', service) as ServiceName,
    if(is_edition, 'AI and Machine Learning', coalesce(service_category, 'Other')) as ServiceCategory,
    if(is_edition, 'Generative AI', coalesce(service_subcategory, 'Other (Other)')) as ServiceSubcategory,
    region as RegionId,
    coalesce(region_name, region) as RegionName,
    line_item_availability_zone as AvailabilityZone,

    sku as SkuId,
    sku_price as SkuPriceId,
    case when sku is not null then line_item_usage_type end as SkuMeter,
    case
        when sku_price is null then null
        when direction is not null then
            '{"x_RegionScope":"' || case when contains(suffix, 'global') then 'global' when contains(suffix, 'geo') then 'geo' else 'regional' end || '"'
            || if(regexp_matches(suffix, 'long|lctx'), ',"x_ContextWindow":"long"', '')
            || if(contains(suffix, 'latency'), ',"x_LatencyOptimized":true', '')
            || coalesce(',"x_Modality":"' || modality || '"', '')
            || coalesce(',"x_CacheTtl":"' || cache_ttl || '"', '')
            || '}'
        when instance_type is not null and gpu_count is not null then json_object('InstanceType', instance_type, 'GpuCount', cast(gpu_count as bigint))
        when instance_type is not null then json_object('InstanceType', instance_type)
    end as SkuPriceDetails,
    case
        when sku_price is null then null
        when is_covered or is_unused then 'Committed'
        when contains(line_item_usage_type, 'SpotUsage') then 'Dynamic'
        else 'Standard'
    end as PricingCategory,
    quantity as PricingQuantity,
    case when quantity is not null then unit end as PricingUnit,
    case when category = 'Usage' then quantity * coalesce(tokens_per_unit, 1) end as ConsumedQuantity,
    case when category = 'Usage' and quantity is not null then if(tokens_per_unit is null, unit, 'Tokens') end as ConsumedUnit,
    case when is_exact and public_on_demand_rate_9 >= 0 and public_on_demand_rate_9 = pricing_public_on_demand_rate and public_on_demand_rate_9 * usage_amount_9 = list_cost then pricing_public_on_demand_rate end as ListUnitPrice,
    case when is_exact and rate_9 >= 0 and rate_9 = rate and rate_9 * usage_amount_9 = contracted_cost then rate end as ContractedUnitPrice,

    commitment_id as CommitmentDiscountId,
    case when commitment_id is not null then if(savings_plan_savings_plan_arn is not null, 'Spend', 'Usage') end as CommitmentDiscountCategory,
    case CommitmentDiscountCategory when 'Spend' then 'Savings Plan' when 'Usage' then 'Reserved Instance' end as CommitmentDiscountType,
    case when commitment_id is null or ChargeCategory <> 'Usage' then null when is_unused then 'Unused' else 'Used' end as CommitmentDiscountStatus,
    case
        when sku_price is null or kind = 'Refund' then null
        when CommitmentDiscountCategory = 'Spend' and category = 'Purchase' and not is_unused then cost
        when CommitmentDiscountCategory = 'Spend' then effective_cost
        when is_unused then reservation_unused_quantity
        when CommitmentDiscountCategory = 'Usage' then quantity
    end as CommitmentDiscountQuantity,
    case
        when CommitmentDiscountQuantity is null then null
        when CommitmentDiscountCategory = 'Spend' then line_item_currency_code
        else coalesce(unit, 'Hours')
    end as CommitmentDiscountUnit,

    case when capacity_reservation_capacity_reservation_status in ('Used', 'Unused') then capacity_reservation_capacity_reservation_arn end as CapacityReservationId,
    case when CapacityReservationId is not null then capacity_reservation_capacity_reservation_status end as CapacityReservationStatus,

    case when category = 'Purchase' and commitment_id is not null then commitment_id else line_item_resource_id end as ResourceId,
    case
        when ResourceId is null then null
        when ResourceId = commitment_id then CommitmentDiscountType
        else product_product_family
    end as ResourceType,

    line_item_currency_code as BillingCurrency,
    case when is_unused or kind = 'SavingsPlanCoveredUsage' then 0 else cost end as BilledCost,
    effective_cost as EffectiveCost,
    contracted_cost as ContractedCost,
    list_cost as ListCost,

    -- On the JSON text only a key can follow '{' or ',' unescaped; tags made by users lose their prefix.
    nullif(replace(replace(replace(replace(replace(cast(resource_tags as varchar), ', "user', ',"user'), '{"user_', '{"'), ',"user_', ',"'), '{"user:', '{"'), ',"user:', ',"'), '{}') as Tags,
    nullif(cast(cost_category as varchar), '{}') as x_CostCategories,
    nullif(cast(discount as varchar), '{}') as x_Discounts,
    split_line_item_parent_resource_id as x_SplitParentResourceId,
    case when split_line_item_parent_resource_id is not null then coalesce(split_line_item_net_split_cost, split_line_item_split_cost) end as x_SplitCost,
    case when split_line_item_parent_resource_id is not null then coalesce(split_line_item_net_unused_cost, split_line_item_unused_cost) end as x_SplitUnusedCost,
    case when meter is not null then canonical_model(meter) end as x_Model,
    case direction
        when 'input' then 'input_uncached'
        when 'output' then 'output'
        when 'cacheread' then 'cache_read'
        when 'cachewrite' then case cache_ttl when '5m' then 'cache_write_5m' when '1h' then 'cache_write_1h' end
    end as x_TokenKind,
    case when direction is not null then coalesce(nullif(regexp_extract(suffix, '(batch|flex|priority)', 1), ''), if(contains(suffix, 'latency'), null, 'standard')) end as x_ServiceTier,
    x_source_file as x_SourceFile,
    x_source_row as x_SourceRow,
    cast(part as bigint) as x_SourcePart
from charges

union all by name

select
    bill_payer_account_id as BillingAccountId,
    payer_name as BillingAccountName,
    'Management Account' as BillingAccountType,
    line_item_usage_account_id as SubAccountId,
    account_name as SubAccountName,
    case when line_item_usage_account_id is not null then 'Account' end as SubAccountType,
    'AWS' as ServiceProviderName,
    'AWS' as HostProviderName,
    'AWS' as InvoiceIssuerName,
    invoice_id as InvoiceId,
    bill_billing_period_start_date as BillingPeriodStart,
    make_timestamptz(epoch_us(make_timestamp(epoch_us(bill_billing_period_start_date)) + interval 1 month)) as BillingPeriodEnd,
    bill_billing_period_start_date as ChargePeriodStart,
    BillingPeriodEnd as ChargePeriodEnd,
    'Adjustment' as ChargeCategory,
    'One-Time' as ChargeFrequency,
    'What savings plan negations leave of the usage they negate' as ChargeDescription,
    coalesce(service_name, product_name, code) as ServiceName,
    coalesce(service_category, 'Other') as ServiceCategory,
    coalesce(service_subcategory, 'Other (Other)') as ServiceSubcategory,
    line_item_currency_code as BillingCurrency,
    cost as BilledCost,
    0 as EffectiveCost,     -- the covered usage already carries what it cost, at the plan's, the contract's and the list price
    0 as ContractedCost,
    0 as ListCost,
    source.file as x_SourceFile,
    source.row as x_SourceRow,
    3 as x_SourcePart
from uncancelled
left join aws_services on product_code = code
