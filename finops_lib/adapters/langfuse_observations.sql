-- Langfuse's observations (blob export as CSV, JSON, JSONL or Parquet, legacy or enriched, and events_core; pages of the public API) → AI usage.
-- One generation or embedding in, one row out; spans, events, tools and agents are passed over.
--   usage_details names its own kinds.  Where all of them add up to its 'total' they are disjoint; where 'input' and
--   'output' alone do, the others lie inside of these; where neither does, only the total is known.
-- dataset: ai_usage
-- formats: csv, json, parquet
-- rows: upper(type) in ('GENERATION', 'EMBEDDING')
-- records: data
-- bucket: request_id
-- account: coalesce(getvariable('account'), 'default')
-- month: strftime(start_time, '%Y-%m')
-- origin: total_tokens from usage_details
-- quirk: 'total' is a key of usage_details beside the kinds, and never added to them; without it the total is their sum.
-- quirk: The table keeps a version per update, and legacy and enriched exports may both hold an observation: the newest of a project and id counts, and none that is deleted.
-- quirk: Observations without cache kinds have unknown cache counts and are unpriced, unless they are embeddings or were too short for a cache.
-- quirk: Langfuse does not say who served a model: the host in the model's name does, else the model's maker.
-- quirk: The project is Langfuse's own, and --account names the vendor's account; input, output and metadata are not read, and addresses become a hash.
-- not covered: A generation around another generation counts too, as in Langfuse.
-- not covered: A deletion that arrives in a later delivery than its observation.
create table raw (
    id varchar not null, "type" varchar not null, start_time timestamptz not null, usage_details map(varchar, bigint) not null,
    project_id varchar, trace_id varchar, end_time timestamptz, provided_model_name varchar, total_cost decimal(38, 18),
    level varchar, environment varchar, user_id varchar, session_id varchar, tags json,
    event_ts timestamptz, updated_at timestamptz, is_deleted boolean
);
with newest as (
    select * from raw
    qualify row_number() over (
        partition by project_id, id order by coalesce(event_ts, updated_at) desc nulls last, user_id is null, session_id is null,
            x_source_file desc, x_source_row desc
    ) = 1
),
kinds as (
    select
        *,
        list_transform(map_entries(usage_details), lambda e: {
            'kind': case
                when e.key in ('total', 'total_tokens') then 'total'
                when contains(e.key, 'reasoning') or contains(e.key, 'thought') then 'reasoning'
                when regexp_matches(e.key, 'cache_(creation|write).*1h') or contains(e.key, 'ephemeral_1h') then 'cache_write_1h'
                when regexp_matches(e.key, 'cache_(creation|write)') or contains(e.key, 'ephemeral_5m') then 'cache_write'
                when contains(e.key, 'cache') then 'cache_read'
                when contains(e.key, 'output') or contains(e.key, 'completion') then 'output'
                when contains(e.key, 'input') or contains(e.key, 'prompt') then 'input'
                else 'other'
            end,
            'value': e.value
        }) as counts
    from newest
    where not coalesce(is_deleted, false)
),
summed as (
    select
        * exclude (tags),
        try_cast(try_cast(tags ->> '$' as json) as varchar[]) as labels,
        serving_vendor(null, provided_model_name) as vendor,
        cast(list_sum(list_transform(list_filter(counts, lambda k: k.kind = 'input'), lambda k: k.value)) as bigint) as of_input,
        cast(list_sum(list_transform(list_filter(counts, lambda k: k.kind = 'cache_read'), lambda k: k.value)) as bigint) as of_cache_read,
        cast(list_sum(list_transform(list_filter(counts, lambda k: k.kind = 'cache_write'), lambda k: k.value)) as bigint) as of_cache_write,
        cast(list_sum(list_transform(list_filter(counts, lambda k: k.kind = 'cache_write_1h'), lambda k: k.value)) as bigint) as of_cache_write_1h,
        cast(list_sum(list_transform(list_filter(counts, lambda k: k.kind = 'output'), lambda k: k.value)) as bigint) as of_output,
        cast(list_sum(list_transform(list_filter(counts, lambda k: k.kind = 'reasoning'), lambda k: k.value)) as bigint) as of_reasoning,
        cast(list_sum(list_transform(list_filter(counts, lambda k: k.kind = 'other'), lambda k: k.value)) as bigint) as of_other,
        coalesce(
            usage_details['total'], usage_details['total_tokens'], cast(list_sum(list_transform(counts, lambda k: k.value)) as bigint)
        ) as total,
        list_sum(list_transform(list_filter(counts, lambda k: k.kind <> 'total'), lambda k: k.value)) = total
            and of_other is null as disjoint,
        not disjoint and usage_details['input'] + usage_details['output'] = total as inside,
        case
            when upper("type") = 'EMBEDDING' or coalesce(of_cache_read, of_cache_write, of_cache_write_1h) is not null then 0
            else uncached_if_short(vendor, of_input)
        end as uncounted
    from kinds
),
cached as (
    select
        *,
        case when disjoint or inside then coalesce(of_cache_read, uncounted) end as cache_read,
        case when disjoint or inside then coalesce(of_cache_write, uncounted) end as cache_write,
        case when disjoint or inside then coalesce(of_cache_write_1h, uncounted) end as cache_write_1h
    from summed
)
select
    start_time as usage_start, coalesce(end_time, start_time) as usage_end, vendor, 'application' as counted_by,
    concat_ws('-', project_id, id) as request_id, coalesce(pseudonym(session_id), trace_id) as session_id,
    coalesce(getvariable('account'), 'default') as account_id, project_id, pseudonym(user_id) as user_id,
    canonical_model(provided_model_name) as model, provided_model_name as model_delivered,
    case upper("type") when 'EMBEDDING' then 'embedding' else 'completion' end as operation,
    request_tags(list_concat(named_labels(labels), [{'name': 'environment', 'value': environment}])) as tags,
    1 as requests, case level when 'ERROR' then 1 else 0 end as failed_requests,
    date_diff('millisecond', start_time, end_time) as duration_ms,
    case
        when inside then usage_details['input'] - cache_read - cache_write - cache_write_1h
        when cache_read is not null then coalesce(of_input, 0)
    end as input_uncached_tokens,
    cache_read as cache_read_tokens, cache_write as cache_write_5m_tokens, cache_write_1h as cache_write_1h_tokens,
    case when inside then usage_details['output'] when disjoint then coalesce(of_output, 0) + coalesce(of_reasoning, 0) end
        as output_tokens,
    case when disjoint or inside then of_reasoning end as reasoning_tokens, total as total_tokens,
    total_cost as reported_cost, case when total_cost is not null then 'USD' end as reported_cost_currency,
    x_source_file, x_source_row
from cached
