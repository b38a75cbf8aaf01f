-- LiteLLM's spend log (table LiteLLM_SpendLogs as CSV, JSON, NDJSON or Parquet, or pages of /spend/logs) → AI usage.  One request in, one row out.
--   prompt_tokens includes what was read from and written to the provider's cache, whatever the provider counts itself;
--   metadata.usage_object (additional_usage_values in older versions) says how much.
-- dataset: ai_usage
-- formats: csv, json, parquet
-- records: data
-- bucket: request_id
-- account: coalesce(getvariable('account'), 'default')
-- month: strftime(start_time, '%Y-%m')
-- origin: input_uncached_tokens from prompt_tokens
-- origin: total_tokens from total_tokens
-- quirk: LiteLLM's organisations and teams are its own: they become a tag and the project, and --account names the vendor's account.
-- quirk: A request that LiteLLM answered from its own cache (cache_hit) used no model: it counts no tokens and LiteLLM served it.
-- quirk: A request whose metadata has no usage object has unknown cache counts and is unpriced, unless it was too short for a cache.
-- quirk: The 0 that the log writes for requests without tokens, such as images and reranking, is unknown, not 0.
-- quirk: E-mail addresses and keys in user, end_user, api_key and tags are replaced by a hash; messages and response are not read.
-- quirk: A request logged twice counts once, as it was logged last.
-- not covered: The daily tables (LiteLLM_DailyUserSpend and its siblings), which repeat the spend log by user, team and tag.
-- null: None
create table raw (
    request_id varchar not null, call_type varchar not null, start_time timestamptz not null, end_time timestamptz,
    prompt_tokens bigint not null, completion_tokens bigint not null, total_tokens bigint not null,
    spend decimal(38, 18), model varchar, custom_llm_provider varchar, api_key varchar, "user" varchar, end_user varchar,
    team_id varchar, organization_id varchar, session_id varchar, status varchar, cache_hit varchar, updated_at timestamptz,
    metadata json, request_tags json
);
with operations(call_type, operation) as (values                          -- others are told by what they gave
    ('completion', 'completion'), ('acompletion', 'completion'), ('text_completion', 'completion'),
    ('atext_completion', 'completion'), ('responses', 'completion'), ('aresponses', 'completion'),
    ('anthropic_messages', 'completion'), ('generate_content', 'completion'), ('agenerate_content', 'completion'),
    ('generate_content_stream', 'completion'), ('agenerate_content_stream', 'completion'),
    ('embedding', 'embedding'), ('aembedding', 'embedding'), ('moderation', 'moderation'), ('amoderation', 'moderation'),
    ('image_generation', 'image'), ('aimage_generation', 'image'), ('image_edit', 'image'), ('aimage_edit', 'image'),
    ('speech', 'speech'), ('aspeech', 'speech'), ('transcription', 'transcription'), ('atranscription', 'transcription')
),
tiers(tier, name) as (values ('default', 'standard'), ('standard', 'standard'), ('batch', 'batch'), ('priority', 'priority'),
    ('flex', 'flex')
),
opened as (                                                               -- JSON exports may hold the JSON as a text
    select
        * exclude (metadata, request_tags),
        try_cast(metadata ->> '$' as json) as said,
        try_cast(try_cast(request_tags ->> '$' as json) as varchar[]) as labels,
        coalesce(lower(cache_hit) = 'true', false) as from_cache
    from raw
),
used as (
    select
        * exclude (said),
        case
            when json_type(said, '$.usage_object') = 'OBJECT' then said -> '$.usage_object'
            when json_type(said, '$.additional_usage_values') = 'OBJECT' then said -> '$.additional_usage_values'
        end as usage,
        said ->> '$.user_api_key_team_alias' as team_alias,
        coalesce(status, said ->> '$.status') as ended,
        case when from_cache then 'LiteLLM' else serving_vendor(custom_llm_provider, model) end as vendor,
        -- The log writes 0 for what has no tokens, such as an image: only an answer from the cache or none has truly 0.
        case when from_cache then 0 when total_tokens > 0 or ended = 'failure' then 1 end as metered,
        -- A usage object that is silent on the cache is of a provider without one.
        case when usage is not null or from_cache or total_tokens = 0 or call_type like '%embedding' then 0
            else uncached_if_short(vendor, prompt_tokens)
        end as uncounted
    from opened
),
told as (
    select *, case when usage is not null then chat_tokens(usage) end as counts from used
),
cached as (
    select
        *,
        coalesce(counts.cache_read_tokens, uncounted) as cache_read,
        coalesce(counts.cache_write_5m_tokens, uncounted) as cache_write_5m,
        coalesce(counts.cache_write_1h_tokens, uncounted) as cache_write_1h
    from told
)
select
    start_time as usage_start, coalesce(end_time, start_time) as usage_end, vendor, 'gateway' as counted_by,
    request_id, session_id, coalesce(getvariable('account'), 'default') as account_id, team_id as project_id,
    pseudonym(api_key) as api_key_id, pseudonym("user") as user_id,
    canonical_model(model) as model, model as model_delivered,
    coalesce(operation, case when completion_tokens > 0 then 'completion' else 'other' end) as operation,
    name as service_tier,
    request_tags(list_concat(named_labels(labels), [
        {'name': 'team', 'value': team_alias}, {'name': 'organization', 'value': organization_id},
        {'name': 'end_user', 'value': end_user}
    ])) as tags,
    1 as requests, case ended when 'failure' then 1 when 'success' then 0 end as failed_requests,
    date_diff('millisecond', start_time, end_time) as duration_ms,
    metered * (prompt_tokens - cache_read - cache_write_5m - cache_write_1h) as input_uncached_tokens,
    metered * cache_read as cache_read_tokens, metered * cache_write_5m as cache_write_5m_tokens,
    metered * cache_write_1h as cache_write_1h_tokens, metered * completion_tokens as output_tokens,
    metered * counts.reasoning_tokens as reasoning_tokens, metered * total_tokens as total_tokens,
    metered * counts.input_audio_tokens as input_audio_tokens,
    metered * counts.input_image_tokens as input_image_tokens,
    metered * counts.cache_read_audio_tokens as cache_read_audio_tokens,
    metered * counts.cache_read_image_tokens as cache_read_image_tokens,
    metered * counts.output_audio_tokens as output_audio_tokens,
    metered * counts.output_image_tokens as output_image_tokens,
    spend as reported_cost, case when spend is not null then 'USD' end as reported_cost_currency,
    x_source_file, x_source_row
from cached
left join operations using (call_type)
left join tiers on tier = usage ->> '$.service_tier'
qualify row_number() over (
    partition by request_id order by coalesce(updated_at, end_time) desc nulls last, x_source_file desc, x_source_row desc
) = 1
