-- OpenTelemetry's spans of generative AI (OTLP JSON: one document, or one a line) → AI usage.
-- One span of an inference in, one row out; spans of agents, tools, workflows and everything else are passed over.
--   The input counts what was read from and written to the cache, and the output counts reasoning.
-- dataset: ai_usage
-- formats: json
-- records: resourceSpans > scopeSpans | instrumentationLibrarySpans > spans
-- rows: attribute(attributes, ['gen_ai.operation.name', 'llm.request.type']) in ('chat', 'completion', 'text_completion', 'generate_content', 'embeddings', 'embedding')
-- bucket: request_id
-- account: coalesce(getvariable('account'), 'default')
-- month: strftime(make_timestamp(startTimeUnixNano // 1000), '%Y-%m')
-- quirk: Older names of attributes (gen_ai.system, gen_ai.usage.prompt_tokens, llm.request.type …) are read where the current ones are absent.
-- quirk: Spans of agents repeat the tokens of the calls inside them, so only spans of an inference count; one around another inference, or with the same response, does not.
-- quirk: Cache counts that exceed the input show that the instrumentation left them out of it: then they are beside it.
-- quirk: A span without cache counts has unknown ones and is unpriced, unless it is an embedding, was too short for a cache, or names one of them.
-- quirk: service.name becomes the project; of the attributes only counts, names and ids are read, and addresses become a hash.
-- not covered: Spans that say neither gen_ai.operation.name nor llm.request.type, and metrics such as gen_ai.client.token.usage.
-- not covered: A span around another inference that arrives in a later delivery than the inference counts too.
create table raw (
    "traceId" varchar not null, "spanId" varchar not null, "startTimeUnixNano" bigint not null, "endTimeUnixNano" bigint,
    "parentSpanId" varchar, status struct(code varchar),
    attributes struct("key" varchar, "value" struct("stringValue" varchar, "intValue" varchar, "doubleValue" varchar))[],
    resource struct(attributes struct("key" varchar, "value" struct("stringValue" varchar, "intValue" varchar, "doubleValue" varchar))[])
);
with tiers(tier, name) as (values
    ('default', 'standard'), ('standard', 'standard'), ('batch', 'batch'), ('priority', 'priority'), ('flex', 'flex')
),
named as (
    select
        *,
        case when attribute(attributes, ['gen_ai.operation.name', 'llm.request.type']) like 'embedding%' then 'embedding'
            else 'completion'
        end as operation,
        attribute(attributes, ['gen_ai.response.model', 'gen_ai.request.model']) as named_model,
        serving_vendor(attribute(attributes, ['gen_ai.provider.name', 'gen_ai.system']), named_model) as vendor,
        attribute(attributes, ['gen_ai.response.id']) as response_id,
        try_cast(attribute(attributes, ['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens']) as bigint) as input_tokens,
        coalesce(
            try_cast(attribute(attributes, ['gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens']) as bigint),
            case when operation = 'embedding' then 0 end
        ) as output,
        try_cast(attribute(
            attributes, ['gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_read_input_tokens']
        ) as bigint) as named_read,
        try_cast(attribute(
            attributes, ['gen_ai.usage.cache_creation.input_tokens', 'gen_ai.usage.cache_creation_input_tokens']
        ) as bigint) as named_write,
        case when operation = 'embedding' or named_read is not null or named_write is not null then 0
            else uncached_if_short(vendor, input_tokens)
        end as uncounted,
        case when input_tokens is not null and output is not null then 1 end as metered
    from raw
),
counted as (
    select
        *,
        metered * coalesce(named_read, uncounted) as cache_read, metered * coalesce(named_write, uncounted) as cache_write,
        case when input_tokens < cache_read + cache_write then 0 else cache_read + cache_write end as cached_inside
    from named
)
select
    make_timestamp(startTimeUnixNano // 1000) at time zone 'UTC' as usage_start,
    make_timestamp(coalesce(endTimeUnixNano, startTimeUnixNano) // 1000) at time zone 'UTC' as usage_end,
    vendor, 'application' as counted_by, traceId || '-' || spanId as request_id,
    coalesce(pseudonym(attribute(attributes, ['gen_ai.conversation.id', 'session.id'])), traceId) as session_id,
    coalesce(getvariable('account'), 'default') as account_id, attribute(resource.attributes, ['service.name']) as project_id,
    pseudonym(attribute(attributes, ['user.id', 'enduser.id'])) as user_id,
    canonical_model(named_model) as model, named_model as model_delivered, operation, name as service_tier,
    request_tags([
        {
            'name': 'environment',
            'value': attribute(resource.attributes, ['deployment.environment.name', 'deployment.environment'])
        },
        {'name': 'agent', 'value': attribute(attributes, ['gen_ai.agent.name'])}
    ]) as tags,
    1 as requests, case when status.code in ('2', 'STATUS_CODE_ERROR') then 1 else 0 end as failed_requests,
    (endTimeUnixNano - startTimeUnixNano) // 1000000 as duration_ms,
    metered * (input_tokens - cached_inside) as input_uncached_tokens, cache_read as cache_read_tokens,
    cache_write as cache_write_5m_tokens, cache_write * 0 as cache_write_1h_tokens, metered * output as output_tokens,
    metered * try_cast(attribute(attributes, ['gen_ai.usage.reasoning.output_tokens']) as bigint) as reasoning_tokens,
    metered * (input_tokens + coalesce(cache_read + cache_write - cached_inside, 0) + output) as total_tokens,
    x_source_file, x_source_row
from counted
left join tiers on tier = attribute(attributes, ['openai.response.service_tier', 'gen_ai.openai.response.service_tier'])
where not exists (
    select 1 from named as inner_call where inner_call.traceId = counted.traceId and inner_call.parentSpanId = counted.spanId
)
qualify row_number() over (
    partition by traceId, coalesce(response_id, spanId) order by startTimeUnixNano desc, x_source_file, x_source_row
) = 1
