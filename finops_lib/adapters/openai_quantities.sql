-- OpenAI organization usage that is not counted in tokens: images, audio speeches and transcriptions, file and web
-- searches, code interpreter sessions, vector stores (the API's pages, or their buckets as one array) → AI usage.
--   One result in, one row out.  Tokens are NULL, for nobody counted any; a quantity and its unit stand instead.
-- dataset: ai_usage
-- formats: json
-- records: data > results
-- key: start_time, end_time, "object", project_id, user_id, api_key_id, model, size, source, organization_id
-- bucket: cast(usage_start as varchar) || operation
-- holds: "object" similar to 'organization\.usage\.(images|audio_speeches|audio_transcriptions|file_searches|web_searches|code_interpreter_sessions|vector_stores)\.result'
-- account: coalesce(organization_id, getvariable('account'), 'default')
-- month: strftime(to_timestamp(start_time), '%Y-%m')
-- origin: operation from object
-- quirk: Model requests that used a web search are requests of the completions report too: they are not counted again.
-- quirk: A vector store's bytes are what lay there in the bucket, so they must not be added up over buckets.
-- not covered: Size and source of images, context level of web searches, and which vector store was searched.
-- not covered: An estimated cost, for these are not priced by tokens; their bill is in the costs report.
create table raw (
    "object" varchar not null, start_time bigint not null, end_time bigint not null,
    images bigint, characters bigint, seconds bigint, num_requests bigint, num_sessions bigint, usage_bytes bigint,
    num_model_requests bigint,
    project_id varchar, user_id varchar, api_key_id varchar, model varchar, size varchar, source varchar,            -- NULL where not grouped by it
    organization_id varchar
);
with operations(result, operation, unit) as (values                       -- a result missing here is refused
    ('images', 'image', 'Images'), ('audio_speeches', 'speech', 'Characters'),
    ('audio_transcriptions', 'transcription', 'Seconds'),
    ('file_searches', 'file_search', 'Calls'), ('web_searches', 'web_search', 'Calls'),
    ('code_interpreter_sessions', 'code_interpreter', 'Sessions'), ('vector_stores', 'vector_store', 'Bytes')
),
counted as (
    select
        *,
        case result
            when 'images' then images
            when 'audio_speeches' then characters
            when 'audio_transcriptions' then seconds
            when 'file_searches' then num_requests
            when 'web_searches' then num_requests
            when 'code_interpreter_sessions' then num_sessions
            when 'vector_stores' then usage_bytes
        end as counted
    from raw left join operations on raw."object" = 'organization.usage.' || result || '.result'
)
select
    to_timestamp(start_time) as usage_start, to_timestamp(end_time) as usage_end,
    'OpenAI' as vendor, 'vendor' as counted_by,
    coalesce(organization_id, getvariable('account'), 'default') as account_id,
    project_id, api_key_id, user_id, canonical_model(model) as model, model as model_delivered, operation,
    case when operation <> 'web_search' then num_model_requests end as requests,
    cast(counted as decimal(38, 18)) as quantity, case when counted is not null then unit end as quantity_unit,
    x_source_file, x_source_row
from counted
