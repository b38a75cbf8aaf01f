-- Anthropic cost report (the Admin API's pages, or their buckets as one array) → FOCUS Cost and Usage.
--   One result in, one charge out.  Amounts are decimal text in cents.  The report holds no quantities, keys or users, no
--   Priority Tier costs, and no list price: all four costs are the amount, and quantities and prices are NULL.
-- dataset: cost_and_usage
-- formats: json
-- records: data > results
-- key: starting_at, ending_at, description, cost_type, model, token_type, service_tier, context_window, inference_geo, workspace_id, currency, organization_id
-- bucket: ChargePeriodStart
-- account: coalesce(organization_id, getvariable('account'), 'default')
-- month: strftime(starting_at, '%Y-%m')
-- billed: amount * 0.01 in upper(currency)
-- conserves: EffectiveCost, ContractedCost, ListCost from x_billed
-- origin: ChargeCategory from cost_type
-- quirk: Amounts are text in cents: 123.45 is 1.2345 dollars.
-- quirk: Costs of the Priority Tier are not in this report, so usage of that tier has no bill here.
-- not covered: Context window and where inference ran, which only tell one price from another.
create table raw (
    starting_at timestamptz not null, ending_at timestamptz not null,
    amount decimal(36, 16) not null, currency varchar not null,           -- cents; two decimals move to the left
    description varchar, cost_type varchar, model varchar, token_type varchar,         -- NULL where not grouped by it
    service_tier varchar, context_window varchar, inference_geo varchar, workspace_id varchar, organization_id varchar
);
with tokens(token_type, kind) as (values
    ('uncached_input_tokens', 'input_uncached'), ('output_tokens', 'output'),
    ('cache_read_input_tokens', 'cache_read'),
    ('cache_creation.ephemeral_5m_input_tokens', 'cache_write_5m'),
    ('cache_creation.ephemeral_1h_input_tokens', 'cache_write_1h')
)
select
    amount * 0.01 as BilledCost, BilledCost as EffectiveCost, BilledCost as ContractedCost, BilledCost as ListCost,
    upper(currency) as BillingCurrency,
    coalesce(organization_id, getvariable('account'), 'default') as BillingAccountId,
    workspace_id as SubAccountId,                   -- NULL is the default workspace, or not grouped: the report is alike
    case when workspace_id is not null then 'Workspace' end as SubAccountType,
    date_trunc('month', starting_at) as BillingPeriodStart, BillingPeriodStart + interval 1 month as BillingPeriodEnd,
    starting_at as ChargePeriodStart, ending_at as ChargePeriodEnd,
    case                                            -- a kind missing here is refused
        when cost_type is null or cost_type in ('tokens', 'web_search', 'code_execution', 'session_usage') then 'Usage'
    end as ChargeCategory,
    'Usage-Based' as ChargeFrequency, description as ChargeDescription,
    'Anthropic' as ServiceProviderName, 'Anthropic' as HostProviderName, 'Anthropic' as InvoiceIssuerName,
    'AI and Machine Learning' as ServiceCategory, 'Generative AI' as ServiceSubcategory, 'Claude API' as ServiceName,
    description as SkuId, coalesce(token_type, cost_type) as SkuMeter,
    canonical_model(model) as x_Model, kind as x_TokenKind, service_tier as x_ServiceTier,
    x_source_file as x_SourceFile, x_source_row as x_SourceRow
from raw
left join tokens using (token_type)
