-- Every token that the vendors counted is in fct_inference_unit_cost, once, and so is every estimated amount.
{{ usage_lost(ref('fct_inference_unit_cost')) }}
