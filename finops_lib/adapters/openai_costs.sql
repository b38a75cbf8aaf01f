-- OpenAI organization costs (the API's pages, or their buckets as one array) → FOCUS Cost and Usage.
--   One result in, one charge out.  The line item says what was charged: "gpt-4o-mini-2024-07-18, cached input".
--   OpenAI bills no list price and says no unit price, so all four costs are the amount and unit prices are NULL.
-- dataset: cost_and_usage
-- formats: json
-- records: data > results
-- key: start_time, end_time, line_item, quantity_unit, project_id, api_key_id, organization_id
-- bucket: ChargePeriodStart
-- account: coalesce(organization_id, getvariable('account'), 'default')
-- month: strftime(to_timestamp(start_time), '%Y-%m')
-- billed: amount.value in upper(amount.currency)
-- conserves: EffectiveCost, ContractedCost, ListCost from x_billed
-- quirk: The amount comes as a number or as text, its currency in lower case.
-- quirk: Model, kind of token and tier are read from the line item; a cost is not told by user.
-- quirk: Storage and tools have no tokens and no model: their line item is their meter.
-- not covered: The first day of a span that was not asked for from midnight holds part of a day; ask from midnight.
create table raw (
    start_time bigint not null, end_time bigint not null,                 -- of the bucket, in Unix seconds
    amount struct("value" decimal(38, 18), currency varchar) not null,    -- value comes as number or as text
    line_item varchar, project_id varchar, project_name varchar, api_key_id varchar,   -- NULL where not grouped by it
    quantity decimal(38, 18), quantity_unit varchar,
    organization_id varchar, organization_name varchar
);
with units(quantity_unit, pricing_unit, consumed_unit, factor) as (values
    ('tokens', 'Tokens', 'Tokens', 1), ('1000_tokens', '1000 Tokens', 'Tokens', 1000),
    ('images', 'Images', 'Images', 1), ('characters', 'Characters', 'Characters', 1),
    ('gibibyte_hours', 'GiB-Hours', 'GiB-Hours', 1), ('duration_seconds', 'Seconds', 'Seconds', 1),
    ('duration_minutes', 'Minutes', 'Minutes', 1), ('duration_hours', 'Hours', 'Hours', 1)
),
lines as (
    select
        *,
        regexp_extract(lower(line_item), ', ([^,]+)$', 1) as direction,
        regexp_replace(lower(line_item), ', [^,]+$', '') as item,
        -- Older deliveries hold no quantity: there the direction tells tokens.
        coalesce(consumed_unit = 'Tokens', quantity_unit is null and regexp_matches(direction, '(input|output)$'), false)
            as is_tokens,
        line_item is not null and quantity is not null and quantity_unit is not null as has_quantity
    from raw left join units using (quantity_unit)
)
select
    amount.value as BilledCost, BilledCost as EffectiveCost, BilledCost as ContractedCost, BilledCost as ListCost,
    upper(amount.currency) as BillingCurrency,
    coalesce(organization_id, getvariable('account'), 'default') as BillingAccountId,
    organization_name as BillingAccountName, project_id as SubAccountId, project_name as SubAccountName,
    case when project_id is not null then 'Project' end as SubAccountType,
    -- OpenAI delivers days (UTC) and no billing period: it bills calendar months.
    date_trunc('month', to_timestamp(start_time)) as BillingPeriodStart,
    BillingPeriodStart + interval 1 month as BillingPeriodEnd,
    to_timestamp(start_time) as ChargePeriodStart, to_timestamp(end_time) as ChargePeriodEnd,
    'Usage' as ChargeCategory, 'Usage-Based' as ChargeFrequency, line_item as ChargeDescription,
    'OpenAI' as ServiceProviderName, 'OpenAI' as HostProviderName, 'OpenAI' as InvoiceIssuerName,
    'AI and Machine Learning' as ServiceCategory, 'Generative AI' as ServiceSubcategory, 'OpenAI API' as ServiceName,

    -- The line item is all that tells one price from another.
    line_item as SkuId, line_item as SkuMeter, line_item as SkuPriceId,
    case when line_item is not null then 'Standard' end as PricingCategory,
    case when has_quantity then quantity end as PricingQuantity,
    case when has_quantity then coalesce(pricing_unit, quantity_unit) end as PricingUnit,
    case when has_quantity then quantity * coalesce(factor, 1) end as ConsumedQuantity,
    case when has_quantity then coalesce(consumed_unit, quantity_unit) end as ConsumedUnit,

    case when is_tokens then canonical_model(regexp_replace(item, '[ -](batch|flex|priority)$', '')) end as x_Model,
    case
        when not is_tokens then null
        when direction like '%cache write%' then 'cache_write_5m'
        when direction like '%cached%' then 'cache_read'
        when direction like '%input' then 'input_uncached'
        when direction like '%output' then 'output'
        when item like '%embedding%' or item like '%moderation%' then 'input_uncached'     -- these have no direction
    end as x_TokenKind,
    -- NULL is standard or not told apart: the line item does not say which
    nullif(regexp_extract(item, '[ -](batch|flex|priority)$', 1), '') as x_ServiceTier,
    api_key_id as x_ApiKeyId,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from lines
