-- Helicone's requests (table request_response_rmt as CSV, JSON, NDJSON or Parquet, or what the API answers) → AI usage.  One request in, one row out.
--   prompt_tokens holds neither what was read from the provider's cache nor what was written to it.
-- dataset: ai_usage
-- formats: csv, json, parquet
-- needs: prompt_tokens, completion_tokens
-- records: data
-- bucket: request_id
-- account: coalesce(getvariable('account'), 'default')
-- month: strftime(request_created_at, '%Y-%m')
-- quirk: The table keeps a version per update: the newest updated_at of a request counts.
-- quirk: cost is a whole number of billionths of a USD in the table, and USD in the API; 0 beside tokens means that Helicone had no price.
-- quirk: A request answered from Helicone's own cache (cache_reference_id) used no model: it counts no tokens and Helicone served it.
-- quirk: Exports without cache columns may count cached input in prompt_tokens: its kinds are unknown and they are unpriced, unless the request was too short for a cache.
-- quirk: The organisation is Helicone's own: it becomes the project, and --account names the vendor's account.
-- quirk: Bodies and scores are not read; addresses and keys in user, key and properties become a hash.
-- not covered: Requests still pending are read with what is known; their answer arrives with the next export.
-- null: \N
create table raw (
    request_id varchar not null, request_created_at timestamptz not null, status bigint not null,
    response_status bigint,                                                -- the API's name of status: then cost is USD
    response_created_at timestamptz, latency bigint, prompt_tokens bigint, completion_tokens bigint,
    prompt_cache_read_tokens bigint, prompt_cache_write_tokens bigint, prompt_cache_write_1h bigint,
    model varchar, provider varchar, user_id varchar, organization_id varchar, proxy_key_id varchar,
    properties map(varchar, varchar), cost decimal(38, 18), cache_reference_id varchar, updated_at timestamptz
);
with served as (
    select
        *,
        coalesce(cache_reference_id <> '00000000-0000-0000-0000-000000000000', false) as from_cache,
        case when from_cache then 'Helicone' else serving_vendor(provider, model) end as vendor,
        case when from_cache then 0 when prompt_tokens is not null and completion_tokens is not null then 1 end as metered,
        case when from_cache then 0 else uncached_if_short(vendor, prompt_tokens) end as uncounted,
        coalesce(prompt_cache_read_tokens, uncounted) as cache_read,
        coalesce(prompt_cache_write_tokens, uncounted) as cache_write,
        coalesce(prompt_cache_write_1h, cache_write * 0) as cache_write_1h
    from raw
)
select
    request_created_at as usage_start, coalesce(response_created_at, request_created_at) as usage_end,
    vendor, 'gateway' as counted_by, request_id, pseudonym(properties['Helicone-Session-Id']) as session_id,
    coalesce(getvariable('account'), 'default') as account_id, organization_id as project_id,
    pseudonym(proxy_key_id) as api_key_id, pseudonym(user_id) as user_id,
    canonical_model(model) as model, model as model_delivered,
    case when contains(lower(model), 'embed') then 'embedding' else 'completion' end as operation,
    request_tags(list_filter(mapped_labels(properties), lambda e: e.name <> 'Helicone-Session-Id')) as tags,
    1 as requests, case when status between 200 and 299 then 0 when status > 0 then 1 end as failed_requests,
    coalesce(latency, date_diff('millisecond', request_created_at, response_created_at)) as duration_ms,
    metered * case when cache_read + cache_write is not null then coalesce(prompt_tokens, 0) end as input_uncached_tokens,
    metered * cache_read as cache_read_tokens,
    metered * (cache_write - cache_write_1h) as cache_write_5m_tokens, metered * cache_write_1h as cache_write_1h_tokens,
    metered * coalesce(completion_tokens, 0) as output_tokens,
    metered * coalesce(prompt_tokens + coalesce(cache_read, 0) + coalesce(cache_write, 0) + completion_tokens, 0)
        as total_tokens,
    case when cost > 0 or metered * (prompt_tokens + completion_tokens) = 0
        then if(response_status is not null, cost, cast(cast(cost as decimal(20, 0)) * cast(0.000000001 as decimal(10, 9)) as decimal(38, 18)))
    end as reported_cost,
    case when reported_cost is not null then 'USD' end as reported_cost_currency,
    x_source_file, x_source_row
from served
qualify row_number() over (
    partition by request_id order by updated_at desc nulls last, x_source_file desc, x_source_row desc
) = 1
