{# The forecast that saw the most data; none where none was made. #}
{% macro latest_forecast() -%}
(
            select latest.forecast_id
            from {{ ref('stg_forecast') }} as latest
            order by latest.data_through desc, latest.generated_at desc, latest.forecast_id desc
            limit 1
        )
{%- endmacro %}
