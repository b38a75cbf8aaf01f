-- Every token that anybody counted, and every estimated amount, is in fct_token_estimated_cost once.
{{ usage_lost(ref('fct_token_estimated_cost')) }}
