-- Token counts.  token_counts(usage) reads the `usage` of one answer, as JSON, and gives a struct of the token columns of
-- ai_usage: kinds that are disjoint and add up to the vendor's own total.  One rule for each shape of body; NULL where
-- the shape is unknown.  A count that a known shape leaves out is 0, for so these APIs write 0; the total proves it.
create macro token_count(usage, path) as try_cast(json_extract_string(usage, path) as bigint);

create macro token_shape(usage) as case
    when json_exists(usage, '$.promptTokenCount') then 'gemini'
    when json_exists(usage, '$.inputTokens') then 'bedrock'
    when json_exists(usage, '$.billed_units') then 'cohere'
    when json_exists(usage, '$.prompt_tokens') then 'chat'
    when json_exists(usage, '$.cache_read_input_tokens') or json_exists(usage, '$.cache_creation_input_tokens')
        then 'anthropic'
    when json_exists(usage, '$.input_tokens') then 'responses'
end;

-- What every shape comes to: `input` is all input, cached or not; `given` the vendor's own total, if it says one.
create macro disjoint_tokens(
    input, cache_read, cache_write, cache_write_1h, output, reasoning, given,
    audio, image, read_audio, read_image, out_audio, out_image
) as {
    'input_uncached_tokens': input - coalesce(cache_read, 0) - coalesce(cache_write, 0),
    'cache_read_tokens': coalesce(cache_read, 0),
    'cache_write_5m_tokens': coalesce(cache_write, 0) - coalesce(cache_write_1h, 0),
    'cache_write_1h_tokens': coalesce(cache_write_1h, 0),
    'output_tokens': coalesce(output, 0),
    'reasoning_tokens': reasoning,
    'total_tokens': coalesce(given, input + coalesce(output, 0)),
    -- Parts of the whole input; what was cached of them is told apart, or else nothing was cached.
    'input_audio_tokens': case
        when read_audio is not null or coalesce(cache_read, 0) = 0 then audio - coalesce(read_audio, 0)
    end,
    'input_image_tokens': case
        when read_image is not null or coalesce(cache_read, 0) = 0 then image - coalesce(read_image, 0)
    end,
    'cache_read_audio_tokens': read_audio,
    'cache_read_image_tokens': read_image,
    'output_audio_tokens': out_audio,
    'output_image_tokens': out_image
};

-- Anthropic: input_tokens is what was neither read from nor written to the cache; thinking is inside the output.
create macro anthropic_tokens(usage) as disjoint_tokens(
    token_count(usage, '$.input_tokens') + coalesce(token_count(usage, '$.cache_read_input_tokens'), 0)
        + coalesce(token_count(usage, '$.cache_creation_input_tokens'), 0),
    token_count(usage, '$.cache_read_input_tokens'), token_count(usage, '$.cache_creation_input_tokens'),
    token_count(usage, '$.cache_creation.ephemeral_1h_input_tokens'), token_count(usage, '$.output_tokens'),
    token_count(usage, '$.output_tokens_details.thinking_tokens'), null, null, null, null, null, null, null
);

-- OpenAI's chat completions and all that copy it: the prompt holds the cached part, the completion the reasoning; only
-- where the vendor's total says so (xAI) reasoning comes on top.  LiteLLM names the cached parts as Anthropic does.
create macro chat_tokens(usage) as disjoint_tokens(
    token_count(usage, '$.prompt_tokens'),
    coalesce(
        token_count(usage, '$.cache_read_input_tokens'), token_count(usage, '$.prompt_tokens_details.cached_tokens'),
        token_count(usage, '$.prompt_cache_hit_tokens'), token_count(usage, '$.cached_tokens')
    ),
    coalesce(
        token_count(usage, '$.cache_creation_input_tokens'),
        token_count(usage, '$.prompt_tokens_details.cache_creation_tokens'),
        token_count(usage, '$.prompt_tokens_details.cache_write_tokens')
    ),
    token_count(usage, '$.prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens'),
    coalesce(token_count(usage, '$.completion_tokens'), 0) + case
        when token_count(usage, '$.total_tokens') = token_count(usage, '$.prompt_tokens')
                + token_count(usage, '$.completion_tokens')
                + token_count(usage, '$.completion_tokens_details.reasoning_tokens')
            then token_count(usage, '$.completion_tokens_details.reasoning_tokens')
        else 0
    end,
    token_count(usage, '$.completion_tokens_details.reasoning_tokens'), token_count(usage, '$.total_tokens'),
    token_count(usage, '$.prompt_tokens_details.audio_tokens'), token_count(usage, '$.prompt_tokens_details.image_tokens'),
    token_count(usage, '$.prompt_tokens_details.cached_tokens_details.audio_tokens'),
    token_count(usage, '$.prompt_tokens_details.cached_tokens_details.image_tokens'),
    token_count(usage, '$.completion_tokens_details.audio_tokens'),
    token_count(usage, '$.completion_tokens_details.image_tokens')
);

-- OpenAI's responses: the input holds what was read from and written to the cache, the output the reasoning.
create macro responses_tokens(usage) as disjoint_tokens(
    token_count(usage, '$.input_tokens'), token_count(usage, '$.input_tokens_details.cached_tokens'),
    token_count(usage, '$.input_tokens_details.cache_write_tokens'), null, token_count(usage, '$.output_tokens'),
    token_count(usage, '$.output_tokens_details.reasoning_tokens'), token_count(usage, '$.total_tokens'),
    token_count(usage, '$.input_tokens_details.audio_tokens'), token_count(usage, '$.input_tokens_details.image_tokens'),
    token_count(usage, '$.input_tokens_details.cached_tokens_details.audio_tokens'),
    token_count(usage, '$.input_tokens_details.cached_tokens_details.image_tokens'),
    token_count(usage, '$.output_tokens_details.audio_tokens'), token_count(usage, '$.output_tokens_details.image_tokens')
);

-- Tokens of some modalities in one of Gemini's lists; a document is read as images.
create macro gemini_modality(usage, path, modalities) as list_sum([
    token_count(detail, '$.tokenCount')
    for detail in cast(json_extract(usage, path) as json[])
    if list_contains(modalities, json_extract_string(detail, '$.modality'))
]);

-- Gemini: the prompt holds the cached part; what tools brought is input too; thoughts come on top of the candidates.
create macro gemini_tokens(usage) as disjoint_tokens(
    token_count(usage, '$.promptTokenCount') + coalesce(token_count(usage, '$.toolUsePromptTokenCount'), 0),
    token_count(usage, '$.cachedContentTokenCount'), null, null,
    coalesce(token_count(usage, '$.candidatesTokenCount'), 0) + coalesce(token_count(usage, '$.thoughtsTokenCount'), 0),
    token_count(usage, '$.thoughtsTokenCount'), token_count(usage, '$.totalTokenCount'),
    coalesce(gemini_modality(usage, '$.promptTokensDetails', ['AUDIO']), 0)
        + coalesce(gemini_modality(usage, '$.toolUsePromptTokensDetails', ['AUDIO']), 0),
    coalesce(gemini_modality(usage, '$.promptTokensDetails', ['IMAGE', 'DOCUMENT']), 0)
        + coalesce(gemini_modality(usage, '$.toolUsePromptTokensDetails', ['IMAGE', 'DOCUMENT']), 0),
    case when json_exists(usage, '$.cacheTokensDetails')
        then coalesce(gemini_modality(usage, '$.cacheTokensDetails', ['AUDIO']), 0) end,
    case when json_exists(usage, '$.cacheTokensDetails')
        then coalesce(gemini_modality(usage, '$.cacheTokensDetails', ['IMAGE', 'DOCUMENT']), 0) end,
    gemini_modality(usage, '$.candidatesTokensDetails', ['AUDIO']),
    gemini_modality(usage, '$.candidatesTokensDetails', ['IMAGE', 'DOCUMENT'])
);

-- Bedrock's Converse: inputTokens is what was neither read from nor written to the cache.  The counts of the cache come
-- twice, under two names: they are one number.
create macro bedrock_tokens(usage) as disjoint_tokens(
    token_count(usage, '$.inputTokens')
        + coalesce(token_count(usage, '$.cacheReadInputTokens'), token_count(usage, '$.cacheReadInputTokenCount'), 0)
        + coalesce(token_count(usage, '$.cacheWriteInputTokens'), token_count(usage, '$.cacheWriteInputTokenCount'), 0),
    coalesce(token_count(usage, '$.cacheReadInputTokens'), token_count(usage, '$.cacheReadInputTokenCount')),
    coalesce(token_count(usage, '$.cacheWriteInputTokens'), token_count(usage, '$.cacheWriteInputTokenCount')),
    list_sum([
        token_count(detail, '$.inputTokens') for detail in cast(json_extract(usage, '$.cacheDetails') as json[])
        if json_extract_string(detail, '$.ttl') = '1h'
    ]),
    token_count(usage, '$.outputTokens'), null, token_count(usage, '$.totalTokens'), null, null, null, null, null, null
);

-- Cohere bills its billed units; `tokens` counts its own preamble too.
create macro cohere_tokens(usage) as disjoint_tokens(
    token_count(usage, '$.billed_units.input_tokens'), null, null, null,
    token_count(usage, '$.billed_units.output_tokens'), null, null, null, null, null, null, null, null
);

create macro token_counts(usage) as case token_shape(usage)
    when 'anthropic' then anthropic_tokens(usage)
    when 'chat' then chat_tokens(usage)
    when 'responses' then responses_tokens(usage)
    when 'gemini' then gemini_tokens(usage)
    when 'bedrock' then bedrock_tokens(usage)
    when 'cohere' then cohere_tokens(usage)
end;
