-- Azure's meters of AI models are free text: 'gpt-4o-0806-Inp-glbl Tokens', 'gpt4omini-rt-aud1217 cchd Inp glbl Tokens',
--   '5.4 nano pp Inp Gl 1M Tokens', 'V3.1 Outp DZone Tokens'. Each macro reads one thing from a meter's words.

-- 'gpt-4o-0806-Inp-glbl Tokens' → ' gpt  4o  0806  inp  glbl  tokens ': two blanks, so that neighbours both match.
create macro azure_words(meter) as ' ' || regexp_replace(
    regexp_replace(lower(meter), '(4o|realtime|turbo|aud|txt)(mini|prvw|[0-9]+k|[0-9]{4})', '\1 \2', 'g'), '[-_ ]+', '  ', 'g'
) || ' ';

create macro azure_is_training(words) as regexp_matches(words, ' (trng|training|hstng|hosting|grader) ');

create macro azure_token_kind(words) as case
    when azure_is_training(words) then null
    when regexp_matches(words, ' (cd|cached|cchd|cache)  (wr|write) ') then 'cache_write_5m'
    when regexp_matches(words, ' (cd|cached|cchd|ccchd|cache) ') then 'cache_read'
    when regexp_matches(words, ' (outp|outpt|output|opt|out|completion) ') then 'output'
    when regexp_matches(words, ' (inp|inpt|input|in|prompt|embedding|ada|embed) ') then 'input_uncached'
end;

create macro azure_service_tier(words) as case
    when regexp_matches(words, ' batch ') then 'batch'
    when regexp_matches(words, ' (pp|priority) ') then 'priority'
    when regexp_matches(words, ' flex ') then 'flex'
    else 'standard'
end;

create macro azure_region_scope(words) as case
    when regexp_matches(words, ' (glbl|gl|global) ') then 'global'
    when regexp_matches(words, ' (dzone|dzn|dz|data  zone) ') then 'geo'
    when regexp_matches(words, ' (regnl|rgnl|regional|rg) ') then 'regional'
end;

-- What is left without direction, deployment, tier, modality, context length, unit and date; realtime and audio models
--   are models of their own, whatever modality they are sent.
create macro azure_model_words(words) as trim(regexp_replace(regexp_replace(
    case
        when regexp_matches(words, ' (rt|realtime|transcribe|tts) ') then regexp_replace(replace(words, ' rt ', ' realtime '), ' (aud|audio) ', ' ', 'g')
        else replace(replace(regexp_replace(words, ' (image|img)  (inp|input|outp|output) ', ' \2 '), ' aud ', ' audio '), ' text  embedding ', ' textembedding ')
    end,
    ' (az|fw|inp|inpt|input|in|outp|outpt|output|opt|out|prompt|completion|cd|cached|cchd|ccchd|cache|wr|write|glbl|gl|global|regnl|rgnl|regional|rg|dzone|dzn|dz|data|zone|std|standard|pp|priority|flex|batch|ft|trng|training|model|grader|dev|tkn|shortco|longco|txt|text|img|prvw|1m|1k|tokens?|[0-9]{4}|[0-9]{8}) ', ' ', 'g'),
    ' +', '-', 'g'
), '-');

create macro azure_model(words, family) as canonical_model(
    if(regexp_matches(words, ' ft ') and not azure_is_training(words), 'ft:', '') || regexp_replace(regexp_replace(
        case
            when contains(lower(family), 'openai') and regexp_matches(azure_model_words(words), '^[0-9]') then 'gpt-'
            when not contains(azure_model_words(words), regexp_extract(lower(family), 'deepseek|kimi|mai')) then regexp_extract(lower(family), 'deepseek|kimi|mai') || '-'
            else ''
        end || azure_model_words(words),
        '^(gpt-?[34].*)-(4k|8k|128k)$', '\1'),
        '^(gpt-?4o.*-(realtime|audio))$', '\1-preview')
);
