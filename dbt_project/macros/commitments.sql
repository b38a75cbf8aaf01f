{# Whether a charge is for AI capacity bought ahead (Bedrock and Google provisioned throughput, Azure PTU, OpenAI scale
   tier), by the words of its meter: bills give most of it no CommitmentDiscountId. #}
{% macro is_ai_capacity() -%}
service_category = 'AI and Machine Learning'
    and charge_category in ('Usage', 'Purchase')
    and x_token_kind is null
    and (
        {% for words in ['provisioned%throughput', 'provisioned managed', 'scale tier', 'model unit', 'modelunit'] -%}
        lower(concat_ws(' ', sku_meter, charge_description)) like '%{{ words }}%'
        {%- if 'unit' in words %} and lower(concat_ws(' ', sku_meter, charge_description)) not like '%custom%'{% endif %}
        {{ 'or ' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{# What an id ends with, in lower case: one source names an ARN or a path where the other names its last part. #}
{% macro last_part(expression) %}regexp_replace(lower({{ expression }}), '^.*/', ''){% endmacro %}
