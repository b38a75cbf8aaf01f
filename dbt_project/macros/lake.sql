{# The lake as the engine sees it, before anything is built. DuckDB's views are made by finops_lib.warehouse. #}
{% macro read_lake() %}{{ return(adapter.dispatch('read_lake')()) }}{% endmacro %}

{% macro default__read_lake() %}{% endmacro %}

{# One external table per dataset, with the columns of its contract: what a file lacks is null, and a dataset without
   files has no rows. Sources and months are found as folders whenever it is read. The ledger is a folder of JSON. #}
{% macro spark__read_lake() %}
{% if execute %}
    {% set lake = env_var('FINOPS_LAKE') %}
    {% call statement() %}set spark.sql.hive.manageFilesourcePartitions = false{% endcall %}
    {% for table in graph.sources.values() if table.source_name == 'lake' %}
        {% if loop.first %}
            {% call statement() %}create schema if not exists {{ table.schema }}{% endcall %}
        {% endif %}
        {% set columns = [] %}
        {% for column in table.columns.values() %}
            {% do columns.append('`' ~ column.name ~ '` ' ~ column.data_type) %}
        {% endfor %}
        {% call statement() %}drop table if exists {{ table.schema }}.{{ table.identifier }}{% endcall %}
        {% call statement() %}
            create table {{ table.schema }}.{{ table.identifier }}
            {% if table.identifier == 'delivery' %}
            ({{ columns | join(', ') }})
            using json
            options (multiLine true, pathGlobFilter '*.json')
            location '{{ lake }}/_ledger'
            {% else %}
            ({{ columns | join(', ') }}, source string, billing_month string)
            using parquet
            partitioned by (source, billing_month)
            location '{{ lake }}/{{ table.identifier }}'
            {% endif %}
        {% endcall %}
    {% endfor %}
{% endif %}
{% endmacro %}
