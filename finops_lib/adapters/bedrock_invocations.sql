-- Amazon Bedrock's model invocation log (JSON lines, gzipped or not, as in S3, or events of CloudWatch Logs) → AI usage.
--   One invocation in, one row out.  inputTokenCount holds neither what was read from the cache nor what was written to it.
-- dataset: ai_usage
-- formats: json
-- records: logEvents | events > message
-- bucket: request_id
-- account: coalesce(getvariable('account'), accountId)
-- month: strftime("timestamp", '%Y-%m')
-- origin: input_uncached_tokens from input.inputTokenCount
-- quirk: The account of the log is the one that used the model, as in SubAccountId; --account names the payer of an organisation.
-- quirk: modelId may be an inference profile's ARN, which names the model, or an application's, which does not: then the answer's own model counts.
-- quirk: Cache counts that are absent are 0 where the answer's usage is logged or the model has no cache; otherwise they are unknown and the request is unpriced.
-- quirk: The answer of a stream may be its events: usage is in the first, and what was put out in the last.
-- quirk: Logs are delivered at least once: a requestId counts once.
-- quirk: The log gives no total: it is the sum of the counts that are there.
-- quirk: Bodies are not read but for their usage, latency and model; identities and request metadata that hold an e-mail address are replaced by a hash.
-- not covered: Bodies that Bedrock put into objects of their own beside the log.
-- not covered: Results of CloudWatch Logs Insights; export the events themselves.
create table raw (
    "schemaType" varchar not null, "timestamp" timestamptz not null, "accountId" varchar not null,
    "requestId" varchar not null, "modelId" varchar not null, operation varchar, "errorCode" varchar,
    identity struct(arn varchar),
    input struct("inputTokenCount" bigint, "cacheReadInputTokenCount" bigint, "cacheWriteInputTokenCount" bigint),
    output struct("outputTokenCount" bigint, "outputBodyJson" json),
    "requestMetadata" map(varchar, varchar)
);
with bodies as (
    select
        * exclude (output),
        output.outputTokenCount as output_tokens,
        case when json_type(output.outputBodyJson) = 'ARRAY' then try_cast(output.outputBodyJson as json[]) end as events,
        case when events is not null then json_merge_patch(
            coalesce(list_filter(events, lambda e: e ->> '$.type' = 'message_start')[1] -> '$.message', '{}'),
            json_object('usage', coalesce(list_filter(events, lambda e: e ->> '$.type' = 'message_delta')[-1] -> '$.usage', '{}'))
        ) else output.outputBodyJson end as body
    from raw
),
answered as (
    select
        * exclude (events, body),
        try_cast(body ->> '$.metrics.latencyMs' as bigint) as latency_ms,
        from_json(body -> '$.usage', '{"inputTokens": "BIGINT", "outputTokens": "BIGINT", "cacheReadInputTokens": "BIGINT", "cacheWriteInputTokens": "BIGINT", "input_tokens": "BIGINT", "output_tokens": "BIGINT", "cache_read_input_tokens": "BIGINT", "cache_creation_input_tokens": "BIGINT", "cache_creation": {"ephemeral_1h_input_tokens": "BIGINT"}}') as usage,
        case
            when regexp_matches(modelId, ':(application-inference-profile|provisioned-model|imported-model|custom-model)')
                then body ->> '$.model'
            else modelId
        end as named_model,
        case when regexp_matches(modelId, '(ai21|cohere|meta|mistral|stability)\.|titan|embed') then 0 end as uncachable
    from bodies
),
counted as (
    select
        *,
        coalesce(input.inputTokenCount, usage.inputTokens, usage.input_tokens) as input_tokens,
        case when usage.inputTokens is not null or usage.input_tokens is not null then 0 else uncachable end as uncounted,
        coalesce(output_tokens, usage.outputTokens, usage.output_tokens) as answered_tokens
    from answered
),
cached as (
    select
        *,
        coalesce(
            input.cacheReadInputTokenCount, usage.cacheReadInputTokens, usage.cache_read_input_tokens, uncounted
        ) as cache_read,
        coalesce(
            input.cacheWriteInputTokenCount, usage.cacheWriteInputTokens, usage.cache_creation_input_tokens, uncounted
        ) as cache_write,
        coalesce(usage.cache_creation.ephemeral_1h_input_tokens, 0) as cache_write_1h,
        coalesce(answered_tokens, case when contains(modelId, 'embed') then 0 end) as output,
        -- A failed invocation counts nothing.
        case when input_tokens is not null and output is not null then 1 end as metered
    from counted
)
select
    "timestamp" as usage_start, "timestamp" + to_milliseconds(coalesce(latency_ms, 0)) as usage_end,
    'AWS' as vendor, 'vendor' as counted_by, requestId as request_id,
    coalesce(getvariable('account'), accountId) as account_id, accountId as project_id,
    pseudonym(identity.arn) as user_id,
    canonical_model(named_model) as model, modelId as model_delivered,
    case
        when contains(modelId, 'embed') then 'embedding'
        when regexp_matches(modelId, '(image|canvas|stability)') then 'image'
        when contains(modelId, 'rerank') then 'other'
        else 'completion'
    end as operation,
    request_tags(mapped_labels(requestMetadata)) as tags,
    1 as requests, case when errorCode is null then 0 else 1 end as failed_requests, latency_ms as duration_ms,
    metered * input_tokens as input_uncached_tokens, metered * cache_read as cache_read_tokens,
    metered * (cache_write - cache_write_1h) as cache_write_5m_tokens,
    metered * case when cache_write is not null then cache_write_1h end as cache_write_1h_tokens,
    metered * output as output_tokens,
    metered * (input_tokens + coalesce(cache_read, 0) + coalesce(cache_write, 0) + output) as total_tokens,
    x_source_file, x_source_row
from cached
qualify row_number() over (partition by accountId, requestId order by x_source_file, x_source_row) = 1
