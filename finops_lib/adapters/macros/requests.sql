-- Requests as gateways and applications log them: who served them, and what of their labels may enter the lake.
set variable ai_providers = (select map(list(provider), list(vendor)) from ai_providers);
set variable ai_makers = (
    select map(list(model), list(vendor)) from (select model, any_value(vendor) as vendor from ai_models group by model)
);

-- Who served a model, spelled as on a bill: the provider named, else the host in the model's name, else the model's maker.
create macro serving_vendor(provider, delivered_model) as coalesce(
    getvariable('ai_providers')[lower(trim(provider))],
    nullif(trim(provider), ''),
    getvariable('ai_providers')[lower(split_part(nullif(delivered_model, ''), '/', 1))],
    case when regexp_matches(delivered_model, '^(arn:aws|([a-z-]+\.)?(amazon|anthropic|ai21|cohere|meta|mistral)\.)') then 'AWS' end,
    getvariable('ai_providers')[lower(getvariable('ai_makers')[canonical_model(delivered_model)])],
    getvariable('ai_makers')[canonical_model(delivered_model)],
    'unknown'
);

-- A label as delivered; what may be an e-mail address or a secret key becomes a hash that still tells two of them apart.
create macro pseudonym(delivered) as case
    when contains(delivered, '@') or regexp_matches(delivered, '^([sprg]k[-_]|Bearer )')
        then 'sha256:' || left(sha256(lower(trim(delivered))), 16)
    else nullif(trim(delivered), '')
end;

-- Names and values as one JSON object: the first of a name counts, and a text too long for a label is left out.
create macro labels(named) as list_filter(
    list_transform(named, lambda e: {'name': pseudonym(e.name), 'value': pseudonym(e.value)}),
    lambda e: length(e.name) <= 128 and length(e.value) <= 256
);
create macro request_tags(named) as case when len(labels(named)) > 0 then to_json(map_from_entries(list_filter(
    labels(named), lambda e, i: list_position(list_transform(labels(named), lambda l: l.name), e.name) = i
))) end;

-- A label 'team:search' names its own value; one without a colon is true.
create macro named_labels(texts) as list_transform(texts, lambda t: {
    'name': trim(split_part(t, ':', 1)),
    'value': case when contains(t, ':') then trim(substr(t, position(':' in t) + 1)) else 'true' end
});

-- 0 where a request was too short for its vendor's prompt cache, which begins at 1,024 input tokens; else unknown.
create macro uncached_if_short(vendor, input_tokens) as case
    when input_tokens < 1024 and vendor in ('OpenAI', 'Microsoft', 'Anthropic', 'AWS', 'Google Cloud') then 0
end;

-- The labels of a map.
create macro mapped_labels(m) as list_transform(map_entries(m), lambda e: {'name': e.key, 'value': e.value});

-- An attribute of OpenTelemetry's JSON as text, by the first of its names that is there.
create macro attribute(attributes, names) as list_filter(
    list_transform(names, lambda n: list_transform(
        list_filter(attributes, lambda a: a.key = n),
        lambda a: coalesce(a['value'].stringValue, a['value'].intValue, a['value'].doubleValue)
    )[1]),
    lambda found: found is not null
)[1];
