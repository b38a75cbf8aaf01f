-- MongoDB Atlas invoices (the JSON of the Admin API's invoice, one or more) → FOCUS Cost and Usage.
--   One invoice in; one charge for each of its line items, and one for what the invoice has beyond them: credits, sales
--   tax, and any difference to the amount billed.  So BilledCost adds up to the amount billed of each invoice; a pending
--   invoice is not billed yet, and adds up to its lines.
-- dataset: cost_and_usage
-- formats: json
-- records: results
-- key: id
-- account: coalesce(org_id, getvariable('account'), 'default')
-- month: strftime(start_date, '%Y-%m')
-- billed: if(upper(status_name) = 'PENDING', coalesce(list_sum(list_transform(line_items, lambda line: line.totalPriceCents)), 0), amount_billed_cents) * 0.01::decimal(3, 2) in 'USD'
-- conserves: EffectiveCost, ContractedCost, ListCost from x_billed
-- quirk: Amounts are in cents and unit prices in dollars; both become dollars.
-- quirk: A credit or tax that stands among the lines as well as in the invoice's totals counts once.
-- quirk: What the amount billed has beyond lines, credits and tax is an Adjustment with its own row.
-- quirk: A pending invoice has no InvoiceId, credits, tax or amount yet; the final invoice of the month replaces it.
-- quirk: A unit price is given only where it times the quantity is the price in cents.
-- not covered: Payments and refunds, which are no charges; the balance carried over from earlier invoices; tags.
-- not covered: Invoices as the list endpoint shows them, without their lines: fetch each invoice.
create table raw (
    id varchar not null, org_id varchar, status_name varchar not null,
    start_date timestamptz not null, end_date timestamptz not null,
    amount_billed_cents decimal(24, 8) not null, credits_cents decimal(24, 8), sales_tax_cents decimal(24, 8),
    line_items struct(
        sku varchar, "clusterName" varchar, "groupId" varchar, "groupName" varchar, note varchar,
        quantity decimal(38, 18), unit varchar, "unitPriceDollars" decimal(38, 18), "totalPriceCents" decimal(24, 8),
        "startDate" timestamptz, "endDate" timestamptz
    )[] not null
);
with invoices as (
    select
        *,
        coalesce(list_sum(list_transform(line_items, lambda line: line.totalPriceCents)), 0) as lines_cents,
        coalesce(list_sum(list_transform(line_items, lambda line: if(regexp_matches(line.sku, '(?i)(^|_)credits?(_|$)'), line.totalPriceCents, 0))), 0) as credited,
        coalesce(list_sum(list_transform(line_items, lambda line: if(regexp_matches(line.sku, '(?i)(^|_)tax(_|$)'), line.totalPriceCents, 0))), 0) as taxed,
        upper(status_name) = 'PENDING' as is_pending,
        if(is_pending, 0, -greatest(coalesce(credits_cents, 0) + credited, 0)) as credit_cents,
        if(is_pending, 0, greatest(coalesce(sales_tax_cents, 0) - taxed, 0)) as tax_cents,
        if(is_pending, 0, amount_billed_cents - lines_cents - credit_cents - tax_cents) as other_cents
    from raw
),
parts as (
    select *, unnest(line_items) as line, generate_subscripts(line_items, 1) as part, null as invoice_kind, null as invoice_cents
    from invoices
    union all by name
    select *, len(line_items) + unnest([1, 2, 3]) as part,
        unnest(['Credit', 'Tax', 'Adjustment']) as invoice_kind, unnest([credit_cents, tax_cents, other_cents]) as invoice_cents
    from invoices
),
charges as (
    select
        *,
        cast(coalesce(invoice_cents, line.totalPriceCents) * 0.01::decimal(3, 2) as decimal(38, 18)) as cost,
        case
            when invoice_kind is not null then invoice_kind
            when regexp_matches(line.sku, '(?i)(^|_)tax(_|$)') then 'Tax'
            when regexp_matches(line.sku, '(?i)(^|_)credits?(_|$)') then 'Credit'
            when line.sku is not null then 'Usage'
        end as category,
        lower(line.unit) as delivered_unit,
        category = 'Usage' and line.quantity is not null and line.unit is not null as has_quantity,
        case
            when has_quantity and line.unitPriceDollars >= 0 and is_exact_product(line.quantity, line.unitPriceDollars)
                and exact_product(line.quantity, line.unitPriceDollars) = cost then line.unitPriceDollars
        end as price
    from parts
    where invoice_kind is null or invoice_cents <> 0
),
units(delivered_unit, unit) as (values            -- a unit missing here stays as delivered
    ('server hours', 'Hours'), ('hours', 'Hours'), ('gb', 'GB'), ('gb hours', 'GB-Hours'), ('gb days', 'GB-Days'),
    ('gb months', 'GB-Months'), ('months', 'Months'), ('requests', 'Requests'), ('million rpus', '1000000 RPUs'), ('tokens', 'Tokens')
)
select
    cost as BilledCost, cost as EffectiveCost, cost as ContractedCost, cost as ListCost, 'USD' as BillingCurrency,
    coalesce(org_id, getvariable('account'), 'default') as BillingAccountId, 'Organization' as BillingAccountType,
    line.groupId as SubAccountId, case when line.groupId is not null then coalesce(line.groupName, line.groupId) end as SubAccountName,
    case when line.groupId is not null then 'Project' end as SubAccountType,
    case when not is_pending then id end as InvoiceId,
    date_trunc('month', start_date) as BillingPeriodStart, BillingPeriodStart + interval 1 month as BillingPeriodEnd,
    coalesce(line.startDate, start_date) as ChargePeriodStart, coalesce(line.endDate, end_date) as ChargePeriodEnd,
    category as ChargeCategory,
    case category when 'Usage' then 'Usage-Based' when 'Tax' then 'Recurring' else 'One-Time' end as ChargeFrequency,
    case invoice_kind
        when 'Credit' then 'Credits on the invoice' when 'Tax' then 'Sales tax'
        when 'Adjustment' then 'Amount billed beyond lines, credits and tax'
        else coalesce(line.note, line.sku)
    end as ChargeDescription,
    'MongoDB' as ServiceProviderName,
    case regexp_extract(lower(line.sku), '_(aws|azure|gcp)_', 1)
        when 'aws' then 'AWS' when 'azure' then 'Microsoft' when 'gcp' then 'Google Cloud' else 'MongoDB'
    end as HostProviderName,
    'MongoDB' as InvoiceIssuerName,
    case
        when line.sku ilike '%voyage%' or line.sku ilike '%embedding%' then 'MongoDB Voyage AI'
        when line.sku ilike '%search%' then 'MongoDB Atlas Search'
        when line.sku ilike '%stream_processing%' then 'MongoDB Atlas Stream Processing'
        when line.sku ilike '%backup%' or line.sku ilike '%snapshot%' then 'MongoDB Atlas Backup'
        when line.sku ilike '%data_transfer%' or line.sku ilike '%private_endpoint%' then 'MongoDB Atlas Data Transfer'
        when line.sku ilike '%support%' then 'MongoDB Support'
        else 'MongoDB Atlas'
    end as ServiceName,
    case ServiceName
        when 'MongoDB Voyage AI' then 'AI and Machine Learning'
        when 'MongoDB Atlas Search' then 'Analytics' when 'MongoDB Atlas Stream Processing' then 'Analytics'
        when 'MongoDB Atlas Backup' then 'Storage' when 'MongoDB Atlas Data Transfer' then 'Networking'
        when 'MongoDB Support' then 'Management and Governance' else 'Databases'
    end as ServiceCategory,
    case ServiceName
        when 'MongoDB Voyage AI' then 'Generative AI'
        when 'MongoDB Atlas Search' then 'Search' when 'MongoDB Atlas Stream Processing' then 'Streaming Analytics'
        when 'MongoDB Atlas Backup' then 'Backup Storage' when 'MongoDB Atlas Data Transfer' then 'Network Connectivity'
        when 'MongoDB Support' then 'Support' else 'NoSQL Databases'
    end as ServiceSubcategory,

    case when category = 'Usage' then line.sku end as SkuId, SkuId as SkuMeter,
    case when category = 'Usage'
        then concat_ws('/', line.sku, rtrim(rtrim(cast(line.unitPriceDollars as varchar), '0'), '.')) end as SkuPriceId,
    case when category = 'Usage' then 'Standard' end as PricingCategory,
    case when has_quantity then line.quantity end as PricingQuantity,
    case when has_quantity then coalesce(units.unit, line.unit) end as PricingUnit,
    PricingQuantity as ConsumedQuantity, PricingUnit as ConsumedUnit,
    price as ListUnitPrice, price as ContractedUnitPrice,
    case when line.clusterName is not null then concat_ws('/', line.groupId, line.clusterName) end as ResourceId,
    line.clusterName as ResourceName, case when line.clusterName is not null then 'Cluster' end as ResourceType,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow, part as x_SourcePart
from charges
left join units on units.delivered_unit = charges.delivered_unit
