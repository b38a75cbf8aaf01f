-- AWS Cost and Usage Report (legacy and 2.0) → FOCUS Cost and Usage.  One line item in, one charge out, except that
--   a recurring commitment fee is two charges: the purchase (part 1) and what nobody used of it (part 2),
--   a SavingsPlanNegation is none: the usage it negates is billed at 0 instead. What the two do not cancel to the
--     last digit (rounding of the export, or a report cut before its negations) is one Adjustment per account and
--     service (part 3), so that no money of the file is lost.
-- Private prices: where a payer's month has net costs they are used on every row. A discount row without a net cost
--   is then 0, because the net cost of the usage it discounts already contains it.
-- Split cost rows (EKS pods, ECS tasks) keep the 0 they are delivered with: the instance row carries the money.
-- dataset: cost_and_usage
-- formats: csv, parquet
-- account: bill_payer_account_id
-- month: strftime(bill_billing_period_start_date, '%Y-%m')
-- origin: ChargeCategory from line_item_line_item_type
-- billed: case when line_item_net_unblended_cost is null and line_item_line_item_type like '%Discount' and exists (select 1 from raw net where net.bill_payer_account_id = raw.bill_payer_account_id and net.bill_billing_period_start_date = raw.bill_billing_period_start_date and net.line_item_net_unblended_cost is not null) then 0 else coalesce(line_item_net_unblended_cost, line_item_unblended_cost) end in line_item_currency_code
create table raw (
    bill_payer_account_id varchar not null,
    bill_payer_account_name varchar,
    bill_billing_period_start_date timestamptz not null,
    bill_billing_entity varchar,                    -- 'AWS' or 'AWS Marketplace'
    bill_invoice_id varchar,                        -- empty while the month is open
    bill_invoicing_entity varchar,

    line_item_usage_account_id varchar,
    line_item_usage_account_name varchar,
    line_item_line_item_type varchar not null,
    line_item_line_item_description varchar,
    line_item_legal_entity varchar,
    line_item_product_code varchar not null,
    line_item_usage_type varchar,
    line_item_operation varchar,
    line_item_resource_id varchar,
    line_item_availability_zone varchar,
    line_item_usage_start_date timestamptz not null,
    line_item_usage_end_date timestamptz not null,
    line_item_usage_amount decimal(38, 18),
    line_item_currency_code varchar not null,
    line_item_unblended_rate decimal(38, 18),
    line_item_net_unblended_rate decimal(38, 18),
    line_item_unblended_cost decimal(38, 18) not null,
    line_item_net_unblended_cost decimal(38, 18),

    pricing_unit varchar,
    pricing_rate_code varchar,
    pricing_public_on_demand_rate decimal(38, 18),
    pricing_public_on_demand_cost decimal(38, 18),

    product_map json,                               -- `product` of 2.0: a map of what the legacy report has as columns
    product_product_name varchar,
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

    resource_tags json                              -- legacy: resourceTags/user:team, 2.0: {"user_team": …}
);

with kinds(kind, category, frequency) as (values    -- a kind missing here leaves ChargeCategory NULL, which the lake refuses
    ('Usage', 'Usage', 'Usage-Based'),
    ('DiscountedUsage', 'Usage', 'Usage-Based'),            -- covered by a reservation
    ('SavingsPlanCoveredUsage', 'Usage', 'Usage-Based'),
    ('SavingsPlanRecurringFee', 'Purchase', 'Recurring'),
    ('SavingsPlanUpfrontFee', 'Purchase', 'One-Time'),
    ('RIFee', 'Purchase', 'Recurring'),
    ('Fee', 'Purchase', 'One-Time'),
    ('Refund', 'Usage', 'One-Time'),                        -- a Purchase where it refunds a commitment, see below
    ('Credit', 'Credit', 'One-Time'),
    ('Tax', 'Tax', 'Recurring'),
    -- A negotiated price that the report shows as a row of its own lowers the price of usage, it is no credit:
    -- as Usage with a ContractedCost and no ListCost it makes both costs of the service right.
    ('Discount', 'Usage', 'Usage-Based'),
    ('EdpDiscount', 'Usage', 'Usage-Based'),
    ('PrivateRateDiscount', 'Usage', 'Usage-Based'),
    ('BundledDiscount', 'Usage', 'Usage-Based')
),
net_months as (
    select distinct bill_payer_account_id, bill_billing_period_start_date
    from raw
    where line_item_net_unblended_cost is not null
),
named as (
    select
        raw.*,
        line_item_line_item_type as kind,
        kind like '%Discount' as is_discount,
        coalesce(product_product_name, product_map ->> 'product_name', product_map ->> 'ProductName') as product_name,
        product_name like '%(Amazon Bedrock Edition)' as is_bedrock_edition,    -- models sold through AWS Marketplace
        case
            when line_item_net_unblended_cost is null and is_discount and net_months.bill_payer_account_id is not null then 0
            else coalesce(line_item_net_unblended_cost, line_item_unblended_cost)
        end as cost,
        coalesce(line_item_net_unblended_rate, line_item_unblended_rate) as rate,
        case
            when kind in ('SavingsPlanCoveredUsage', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee', 'DiscountedUsage', 'RIFee', 'Fee', 'Refund')
            then coalesce(savings_plan_savings_plan_arn, reservation_reservation_arn)
        end as commitment_id,
        coalesce(product_region_code, product_region, product_map ->> 'region') as region,
        case                                                -- some writers end a month at 23:59:59
            when date_part('minute', line_item_usage_end_date) = 59 and date_trunc('second', line_item_usage_end_date) = date_trunc('minute', line_item_usage_end_date) + interval 59 seconds
            then date_trunc('second', line_item_usage_end_date) + interval 1 second
            else line_item_usage_end_date
        end as usage_end,
        coalesce(
            nullif(regexp_extract(line_item_usage_type, ':((?:[a-z]+\.)?[a-z][a-z0-9-]*\.(?:metal|nano|micro|small|medium|[0-9]*x?large)[a-z0-9-]*)$', 1), ''),
            product_instance_type
        ) as instance_type,
        -- USE1-Claude4.6Opus-cache-read-input-token-count, USW2-anthropic.claude-opus-4-8-mantle-input-tokens-batch, …
        regexp_extract(
            case when line_item_product_code like 'AmazonBedrock%' then line_item_usage_type end,
            '^(?:[A-Z]{3,4}[1-9]-|EU-)?(.+?)-(?:mantle-)?(cache-read|cache-write|input|output)(?:-(?:input|text|image|video|audio|speech))*-tokens?(?:-count)?((?:-.*)?)$',
            ['meter', 'direction', 'rest']
        ) as metered,
        -- USW2-MP:USW2_CacheReadInputTokenCount-Units of "Claude 3.5 Sonnet (Amazon Bedrock Edition)"
        regexp_extract(case when is_bedrock_edition then line_item_usage_type end, '(CacheRead|CacheWrite|Input|Output)(?:Input)?TokenCount(.*)$', ['direction', 'rest']) as edition
    from raw
    left join net_months using (bill_payer_account_id, bill_billing_period_start_date)
),
tokens as (
    select
        *,
        lower(coalesce(nullif(metered.direction, ''), nullif(edition.direction, ''))) as direction,
        lower(coalesce(nullif(metered.rest, ''), nullif(edition.rest, ''), '')) as suffix,
        coalesce(
            nullif(metered.meter, ''),
            case when direction is not null then regexp_replace(replace(product_name, ' (Amazon Bedrock Edition)', ''), '\s+', '', 'g') end
        ) as meter,
        case
            when pricing_unit ilike '1M tokens' or (is_bedrock_edition and line_item_line_item_description ilike '%million%tokens%') then 1000000
            when pricing_unit ilike '1K tokens' or pricing_unit ilike '1000 tokens' then 1000
            when pricing_unit ilike 'token%' then 1
        end as tokens_per_unit
    from named
),
lines as (
    select
        tokens.*,
        case when kind = 'Refund' and commitment_id is not null then 'Purchase' else kinds.category end as category,
        kinds.frequency,
        aws_services.service_name,
        aws_services.service_category,
        aws_services.service_subcategory,
        aws_regions.region_name,
        aws_gpu_instances.gpu_count,
        coalesce(aws_units.focus_unit, pricing_unit) as unit,
        aws_bedrock_models.model as listed_model,
        -- Claude4.6Opus → claude-opus-4-6, Claude3.5Sonnet → claude-3-5-sonnet, anthropic.claude-opus-4-8 → claude-opus-4-8
        lower(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            case when meter like 'Claude%' then replace(meter, '.', '-') else meter end,
            '^Claude([1-3](?:-[0-9])?)([A-Z][a-z]+).*$', 'claude-\1-\2'),
            '^Claude([0-9]+(?:-[0-9]+)?)([A-Z][a-z]+).*$', 'claude-\2-\1'),
            '^[a-z0-9]+\.([a-z])', '\1'),
            '(-20[0-9]{6})?(-v[0-9]+(:[0-9]+)?)?$', '')
        ) as read_model,
        case kind
            when 'SavingsPlanRecurringFee' then savings_plan_total_commitment_to_date - savings_plan_used_commitment
            when 'RIFee' then list_sum([
                coalesce(reservation_net_unused_recurring_fee, reservation_unused_recurring_fee),
                coalesce(reservation_net_unused_amortized_upfront_fee_for_billing_period, reservation_unused_amortized_upfront_fee_for_billing_period)
            ])
        end as unused_cost
    from tokens
    left join kinds using (kind)
    left join aws_services on product_code = line_item_product_code
    left join aws_regions on region_id = region
    left join aws_gpu_instances on gpu_instance_type = regexp_extract(instance_type, '^(?:ml\.)?([a-z0-9-]+\.[a-z0-9]+)', 1)
    left join aws_units on aws_units.delivered_unit = pricing_unit
    left join aws_bedrock_models on squashed_meter = lower(meter)
    where kind <> 'SavingsPlanNegation'
),
charges as (
    select
        *,
        part = 2 as is_unused,
        kind in ('SavingsPlanCoveredUsage', 'DiscountedUsage') as is_covered,
        category = 'Purchase' and (commitment_id is not null or kind <> 'Fee') as buys_commitment,
        case when category in ('Usage', 'Purchase') then coalesce(product_sku, line_item_usage_type) end as sku,    -- without SKU columns the usage type says what was bought
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
        -- A unit price is given only where price × quantity is the cost to the last digit, which FOCUS demands. 9 decimals
        -- each keep that product inside DECIMAL(38,18), finer prices and quantities stay without a unit price.
        case when try_cast(quantity as decimal(19, 9)) = quantity then try_cast(quantity as decimal(19, 9)) end as exact_quantity,
        try_cast(pricing_public_on_demand_rate as decimal(19, 9)) as list_rate,
        try_cast(rate as decimal(19, 9)) as contracted_rate
    from lines, unnest(case when kind in ('SavingsPlanRecurringFee', 'RIFee') and unused_cost is distinct from 0 then [1, 2] else [1] end) as parts(part)
),
uncancelled as (
    select
        bill_payer_account_id,
        any_value(bill_payer_account_name) as payer_name,
        bill_billing_period_start_date,
        line_item_usage_account_id,
        any_value(line_item_usage_account_name) as account_name,
        line_item_product_code,
        any_value(product_name) as product_name,
        line_item_currency_code,
        any_value(bill_invoice_id) as invoice_id,
        min({'file': x_source_file, 'row': x_source_row}) as source,
        sum(cost) as cost
    from named
    where kind in ('SavingsPlanCoveredUsage', 'SavingsPlanNegation')
    group by all
    having sum(cost) <> 0
)
select
    bill_payer_account_id as BillingAccountId,
    bill_payer_account_name as BillingAccountName,
    'Management Account' as BillingAccountType,
    line_item_usage_account_id as SubAccountId,
    line_item_usage_account_name as SubAccountName,
    case when line_item_usage_account_id is not null then 'Account' end as SubAccountType,
    case
        when bill_billing_entity = 'AWS Marketplace' and not is_bedrock_edition and line_item_legal_entity is not null and not regexp_matches(line_item_legal_entity, '^(Amazon|AWS)') then line_item_legal_entity
        else 'AWS'
    end as ServiceProviderName,
    'AWS' as HostProviderName,
    case when bill_invoicing_entity is null or regexp_matches(bill_invoicing_entity, '^(Amazon|AWS)') then 'AWS' else bill_invoicing_entity end as InvoiceIssuerName,
    bill_invoice_id as InvoiceId,

    bill_billing_period_start_date as BillingPeriodStart,
    bill_billing_period_start_date + interval 1 month as BillingPeriodEnd,
    line_item_usage_start_date as ChargePeriodStart,
    usage_end as ChargePeriodEnd,

    case when is_unused then 'Usage' else category end as ChargeCategory,
    case when kind = 'Refund' and line_item_usage_start_date < bill_billing_period_start_date then 'Correction' end as ChargeClass,    -- only what corrects an earlier month
    case when is_unused then 'Usage-Based' else coalesce(frequency, 'Usage-Based') end as ChargeFrequency,    -- an unknown kind is refused for its category alone
    line_item_line_item_description as ChargeDescription,

    case when is_bedrock_edition then 'Amazon Bedrock' else coalesce(service_name, product_name, line_item_product_code) end as ServiceName,
    case when is_bedrock_edition then 'AI and Machine Learning' else coalesce(service_category, 'Other') end as ServiceCategory,
    case when is_bedrock_edition then 'Generative AI' else coalesce(service_subcategory, 'Other (Other)') end as ServiceSubcategory,
    region as RegionId,
    case when region is not null then coalesce(region_name, region) end as RegionName,
    line_item_availability_zone as AvailabilityZone,

    sku as SkuId,
    sku_price as SkuPriceId,
    case when sku is not null then line_item_usage_type end as SkuMeter,
    case when sku_price is not null and instance_type is not null then json_merge_patch(json_object('InstanceType', instance_type), json_object('GpuCount', cast(gpu_count as bigint))) end as SkuPriceDetails,
    case
        when sku_price is null then null
        when is_covered or is_unused then 'Committed'
        when line_item_usage_type like '%SpotUsage%' then 'Dynamic'
        else 'Standard'
    end as PricingCategory,
    quantity as PricingQuantity,
    case when quantity is not null then unit end as PricingUnit,
    case when category = 'Usage' then quantity * coalesce(tokens_per_unit, 1) end as ConsumedQuantity,
    case when ConsumedQuantity is not null then if(tokens_per_unit is null, unit, 'Tokens') end as ConsumedUnit,
    case when list_rate >= 0 and list_rate = pricing_public_on_demand_rate and list_rate * exact_quantity = list_cost then pricing_public_on_demand_rate end as ListUnitPrice,
    case when contracted_rate >= 0 and contracted_rate = rate and contracted_rate * exact_quantity = contracted_cost then rate end as ContractedUnitPrice,

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

    -- on the JSON text: only a key can follow '{' or ',' unescaped
    nullif(regexp_replace(cast(resource_tags as varchar), '([{,]\s*")user[:_]', '\1', 'g'), '{}') as Tags,
    case when direction is not null then coalesce(listed_model, read_model) end as x_Model,
    case replace(direction, '-', '')
        when 'input' then 'input_uncached'
        when 'output' then 'output'
        when 'cacheread' then 'cache_read'
        when 'cachewrite' then if(regexp_matches(suffix, '1-?h'), 'cache_write_1h', 'cache_write_5m')
    end as x_TokenKind,
    case when direction is not null then coalesce(nullif(regexp_extract(suffix, '(batch|flex|priority)', 1), ''), 'standard') end as x_ServiceTier,
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
    bill_billing_period_start_date + interval 1 month as BillingPeriodEnd,
    bill_billing_period_start_date as ChargePeriodStart,
    bill_billing_period_start_date + interval 1 month as ChargePeriodEnd,
    'Adjustment' as ChargeCategory,
    'One-Time' as ChargeFrequency,
    'What savings plan negations leave of the usage they negate' as ChargeDescription,
    coalesce(service_name, product_name, line_item_product_code) as ServiceName,
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
left join aws_services on product_code = line_item_product_code
