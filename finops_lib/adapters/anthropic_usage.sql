-- Anthropic usage report of messages (the Admin API's pages, or their buckets as one array) → AI usage.
--   One result in, one row out.  Its four kinds of input are already disjoint.  It counts no requests and says nothing of
--   reasoning inside the output; it gives no total, so the total is the sum of its kinds.
-- dataset: ai_usage
-- formats: json
-- records: data > results
-- key: starting_at, ending_at, account_id, service_account_id, api_key_id, workspace_id, model, service_tier, context_window, inference_geo, organization_id
-- bucket: usage_start
-- account: coalesce(organization_id, getvariable('account'), 'default')
-- month: strftime(starting_at, '%Y-%m')
-- origin: cache_write_5m_tokens from cache_creation
-- origin: cache_write_1h_tokens from cache_creation
-- origin: service_tier from service_tier
-- quirk: An account_id in a result is a person's, not the organisation's.
-- quirk: A workspace of null is the default workspace or says that nothing was grouped by it; the report is alike.
-- not covered: Searches by the server's own tools, which the cost report bills.
-- not covered: Where inference ran and fast mode, which change the price: the estimate is the standard list price.
create table raw (
    starting_at timestamptz not null, ending_at timestamptz not null,
    uncached_input_tokens bigint not null, cache_read_input_tokens bigint not null, output_tokens bigint not null,
    cache_creation struct(ephemeral_5m_input_tokens bigint, ephemeral_1h_input_tokens bigint) not null,
    account_id varchar, service_account_id varchar, api_key_id varchar, workspace_id varchar,  -- NULL where not grouped
    model varchar, service_tier varchar, context_window varchar, inference_geo varchar, organization_id varchar
);
with tiers(tier, name) as (values                                         -- a tier missing here is refused
    ('standard', 'standard'), ('batch', 'batch'), ('priority', 'priority'), ('priority_on_demand', 'priority'),
    ('flex', 'flex'), ('flex_discount', 'flex')
)
select
    starting_at as usage_start, ending_at as usage_end,
    'Anthropic' as vendor, 'vendor' as counted_by,
    coalesce(organization_id, getvariable('account'), 'default') as account_id,
    workspace_id as project_id, api_key_id,
    coalesce(raw.account_id, service_account_id) as user_id,              -- account_id is a person's, not the organisation's
    canonical_model(model) as model, model as model_delivered, 'completion' as operation,
    coalesce(name, service_tier) as service_tier, context_window,
    uncached_input_tokens as input_uncached_tokens, cache_read_input_tokens as cache_read_tokens,
    cache_creation.ephemeral_5m_input_tokens as cache_write_5m_tokens,
    cache_creation.ephemeral_1h_input_tokens as cache_write_1h_tokens,
    output_tokens,
    uncached_input_tokens + cache_read_input_tokens + cache_creation.ephemeral_5m_input_tokens
        + cache_creation.ephemeral_1h_input_tokens + output_tokens as total_tokens,
    x_source_file, x_source_row
from raw
left join tiers on tier = service_tier
