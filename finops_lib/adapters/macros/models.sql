-- Model names.  canonical_model(delivered) is the vendor's own name of the model, without its date, host or gateway:
--   'us.anthropic.claude-sonnet-4-20250514-v1:0', 'Claude4Sonnet' and 'anthropic/claude-sonnet-4' are claude-sonnet-4.
--   A model that ai_models.csv does not list stays as delivered, in lower case, without what is certainly a prefix.
set variable ai_models = (select map(list(alias), list(model)) from ai_models);

-- Lower case, without the host's or gateway's prefix.
create macro bare_model(delivered) as regexp_replace(
    lower(trim(delivered)),
    '^(arn:aws[a-z-]*:bedrock:[^:/]*:[^:/]*:(foundation-model|inference-profile)/|projects/.*/models/|accounts/fireworks/models/|(models|openai|anthropic|azure|azure_ai|vertex_ai|bedrock|bedrock_converse|converse|gemini|google|openrouter|litellm_proxy|groq|mistral|mistralai|cohere|cohere_chat|deepseek|deepseek-ai|meta-llama|xai|x-ai|z-ai|qwen|together_ai|fireworks_ai|cerebras|amazon|publishers|[a-z]{2}(-[a-z]+)+-[0-9])/)*((us|us-gov|eu|apac|ap|jp|au|ca|sa|me|af|il|mx|global|regional)\.)?((ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|writer|xai|zai)\.)?',
    ''
);

-- A name as ai_models.csv spells its aliases: without what separates its parts.  (One regexp_replace is 3 × slower.)
create macro model_alias(spelled) as
    replace(replace(replace(replace(replace(replace(spelled, '-', ''), '.', ''), ' ', ''), '_', ''), ':', ''), '@', '');

-- Without path, route and revision: ':free', ':0'.
create macro unrouted_model(bare) as regexp_replace(
    regexp_replace(bare, '^.*/', ''), ':([0-9]|free|batch|thinking|extended|beta|nitro|floor|exacto|online|latest)$', ''
);

-- Without date and version at the end: '-20250514', '-2024-07-18', '@20250514', '-v1', '-0806', '-001', '-latest'.
create macro undated_model(bare) as regexp_replace(
    unrouted_model(bare),
    '([-@ ](latest|default|v[0-9]+|[0-9]{8}|[0-9]{3,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}-[0-9]{2}|[0-9]{2}-[0-9]{4}))+$', ''
);

-- First as spelled, then without its date: some dates and versions are the name ('titan-embed-text-v2').
create macro listed_model(bare) as coalesce(
    getvariable('ai_models')[model_alias(unrouted_model(bare))], getvariable('ai_models')[model_alias(undated_model(bare))]
);

create macro canonical_model(delivered) as case
    -- A fine-tuned model is named by what it was made from; the rest of its name is the organisation's.
    when bare_model(delivered) like 'ft:%'
        then 'ft:' || coalesce(listed_model(split_part(bare_model(delivered), ':', 2)), split_part(bare_model(delivered), ':', 2))
    when contains(bare_model(delivered), '.ft-')
        then 'ft:' || coalesce(listed_model(split_part(bare_model(delivered), '.ft-', 1)), split_part(bare_model(delivered), '.ft-', 1))
    else coalesce(listed_model(bare_model(delivered)), nullif(bare_model(delivered), ''))
end;
