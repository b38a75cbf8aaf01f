-- OpenAI organization usage of tokens: completions, embeddings, moderations (the API's pages, or their buckets as one
-- array) → AI usage.  One result in, one row out.
-- dataset: ai_usage
-- formats: json
-- records: data > results
-- key: start_time, end_time, "object", project_id, user_id, api_key_id, model, batch, service_tier, organization_id
-- bucket: cast(usage_start as varchar) || operation
-- account: coalesce(organization_id, getvariable('account'), 'default')
-- month: strftime(to_timestamp(start_time), '%Y-%m')
-- origin: operation from object
-- origin: input_uncached_tokens from input_cached_tokens
-- origin: cache_read_tokens from input_cached_tokens
-- quirk: The input includes what was read from and written to the cache; the kinds stored are disjoint.
-- quirk: Audio and image tokens are inside all counts; they are kept as parts where what was cached is told apart.
-- quirk: Each endpoint replaces its own buckets: embeddings of a day leave the completions of that day alone.
-- quirk: Older payloads lack the newer counts; a completion without its cached input is refused, not taken for 0.
-- not covered: Reasoning inside the output, which this report does not tell.
create table raw (
    "object" varchar not null, start_time bigint not null, end_time bigint not null,
    input_tokens bigint not null, num_model_requests bigint not null,
    input_cached_tokens bigint, input_cache_write_tokens bigint, input_uncached_tokens bigint, output_tokens bigint,
    input_audio_tokens bigint, input_cached_audio_tokens bigint, output_audio_tokens bigint,
    input_image_tokens bigint, input_cached_image_tokens bigint, output_image_tokens bigint,
    project_id varchar, user_id varchar, api_key_id varchar, model varchar,            -- NULL where not grouped by it
    batch boolean, service_tier varchar, organization_id varchar
);
with operations(result, operation) as (values                             -- a result missing here is refused
    ('organization.usage.completions.result', 'completion'),
    ('organization.usage.embeddings.result', 'embedding'),
    ('organization.usage.moderations.result', 'moderation')
),
tiers(tier, name) as (values                                              -- a tier missing here is refused
    ('default', 'standard'), ('flex', 'flex'), ('priority', 'priority')
),
counted as (
    select
        raw.* exclude (service_tier),
        operation,
        coalesce(name, nullif(raw.service_tier, 'scale')) as service_tier,     -- scale is a commitment, none of our tiers
        -- Only completions have a cache and an output.
        case when operation = 'completion' then input_cached_tokens else 0 end as cache_read_tokens,
        coalesce(input_cache_write_tokens, 0) as cache_write_tokens,      -- no cache write was counted before 2026
        case when operation = 'completion' then output_tokens else 0 end as output
    from raw
    left join operations on result = raw.object
    left join tiers on tier = raw.service_tier
)
select
    to_timestamp(start_time) as usage_start, to_timestamp(end_time) as usage_end,
    'OpenAI' as vendor, 'vendor' as counted_by,
    coalesce(organization_id, getvariable('account'), 'default') as account_id,
    project_id, api_key_id, user_id,
    canonical_model(model) as model, model as model_delivered, operation,
    case when batch then 'batch' else service_tier end as service_tier,
    num_model_requests as requests,
    coalesce(input_uncached_tokens, input_tokens - cache_read_tokens - cache_write_tokens) as input_uncached_tokens,
    cache_read_tokens, cache_write_tokens as cache_write_5m_tokens, 0 as cache_write_1h_tokens,
    output as output_tokens, input_tokens + output as total_tokens,
    -- Before 2026 these held what was cached too.
    case when input_cached_audio_tokens is not null or cache_read_tokens = 0 then input_audio_tokens end
        as input_audio_tokens,
    case when input_cached_image_tokens is not null or cache_read_tokens = 0 then input_image_tokens end
        as input_image_tokens,
    input_cached_audio_tokens as cache_read_audio_tokens, input_cached_image_tokens as cache_read_image_tokens,
    output_audio_tokens, output_image_tokens,
    x_source_file, x_source_row
from counted
