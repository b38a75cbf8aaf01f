-- Anthropic's Claude Code report (the Admin API's pages, or their records as one array) → AI usage.
--   One model of one person's or key's day in, one row out.  What users of the API spent is also in the report of
--   messages, so their rows are an application's count, which gives way to the vendor's; what subscribers used is nowhere
--   else.  The report's own estimate is kept as reported cost: it is no bill.
-- dataset: ai_usage
-- formats: json
-- records: data > model_breakdown
-- key: "date", actor, customer_type, terminal_type, model, organization_id
-- bucket: usage_start
-- account: coalesce(organization_id, getvariable('account'), 'default')
-- month: strftime("date", '%Y-%m')
-- origin: counted_by from customer_type
-- origin: operation from customer_type
-- origin: cache_read_tokens from tokens
-- quirk: People are kept as a hash of their e-mail address, the same as in gateway logs, never by the address.
-- quirk: Amounts are cents.
-- quirk: Cache writes of five minutes and of an hour come as one count: they stand with those of five minutes.
-- not covered: Sessions, lines of code, commits, pull requests and accepted suggestions, which are no usage of a model.
create table raw (
    "date" timestamptz not null, customer_type varchar not null, terminal_type varchar,
    actor struct("type" varchar, email_address varchar, api_key_name varchar) not null,
    model varchar not null,
    tokens struct("input" bigint, "output" bigint, cache_read bigint, cache_creation bigint) not null,
    estimated_cost struct(amount decimal(36, 16), currency varchar),      -- cents; two decimals move to the left
    organization_id varchar
);
with customers(customer_type, counted_by, operation) as (values           -- a type missing here is refused
    ('api', 'application', 'completion'), ('subscription', 'vendor', 'code_assistant')
)
select
    "date" as usage_start, "date" + interval 1 day as usage_end,
    'Anthropic' as vendor, counted_by, operation,
    coalesce(organization_id, getvariable('account'), 'default') as account_id,
    pseudonym(actor.email_address) as user_id,
    canonical_model(model) as model, model as model_delivered,
    nullif(cast(json_merge_patch('{}', json_object(
        'api_key_name', actor.api_key_name, 'customer_type', customer_type, 'terminal_type', terminal_type
    )) as varchar), '{}') as tags,
    tokens."input" as input_uncached_tokens, tokens.cache_read as cache_read_tokens,
    tokens.cache_creation as cache_write_5m_tokens, 0 as cache_write_1h_tokens, tokens."output" as output_tokens,
    tokens."input" + tokens.cache_read + tokens.cache_creation + tokens."output" as total_tokens,
    cast(estimated_cost.amount * 0.01 as decimal(38, 18)) as reported_cost,
    case when estimated_cost.amount is not null then upper(estimated_cost.currency) end as reported_cost_currency,
    x_source_file, x_source_row
from raw
left join customers using (customer_type)
