{# The lake as the engine sees it, before anything is built: one relation per dataset in the schema of the source, over
   the files below FINOPS_LAKE. Without that variable the relations are taken as they are. #}
{% macro read_lake() %}
{% if execute and env_var('FINOPS_LAKE', '') %}{{ return(adapter.dispatch('read_lake')()) }}{% endif %}
{% endmacro %}

{# What a file lacks of its contract's columns is null, and a dataset without files has no rows. #}
{% macro default__read_lake() %}
{% set lake = env_var('FINOPS_LAKE') %}
{% set types = {'timestamp': 'timestamptz'} %}
{% for table in graph.sources.values() if table.source_name == 'lake' %}
    {% if loop.first %}
        {% call statement(auto_begin=false) %}create schema if not exists {{ table.schema }}{% endcall %}
    {% endif %}
    {% set is_ledger = table.identifier == 'delivery' %}
    {% set files = lake ~ ('/_ledger/*.json' if is_ledger
        else '/' ~ table.identifier ~ '/source=*/billing_month=*/*.parquet') %}
    {% set files = dbt.string_literal(files.replace("'", "''")) %}
    {% set found = run_query('select count(*) from glob(' ~ files ~ ')').rows[0][0] %}
    {% set typed, empty = [], [] %}
    {% for column in table.columns.values() %}
        {% set type = types.get(column.data_type, column.data_type) %}
        {% do typed.append(column.name ~ ": '" ~ type ~ "'") %}
        {% do empty.append('cast(null as ' ~ type ~ ') as "' ~ column.name ~ '"') %}
    {% endfor %}
    {% set folders = 'cast(null as varchar) as source, cast(null as varchar) as billing_month' %}
    {% call statement(auto_begin=false) %}
        create or replace view {{ table.schema }}.{{ table.identifier }} as
        {% if is_ledger and found %}
        from read_json({{ files }}, columns = {{ '{' ~ typed | join(', ') ~ '}' }})
        {% elif is_ledger %}
        select {{ empty | join(', ') }} where false
        {% elif found %}
        select *
        from read_parquet(
            {{ files }}, hive_partitioning = true, union_by_name = true,
            hive_types = {{ "{'source': varchar, 'billing_month': varchar}" }}
        )
        union all by name
        select {{ empty | join(', ') }} where false
        {% else %}
        select {{ empty | join(', ') }}, {{ folders }} where false
        {% endif %}
    {% endcall %}
{% endfor %}
{% endmacro %}

{# Sources and months are found as folders whenever it is read. The ledger is a folder of JSON. #}
{% macro spark__read_lake() %}
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
{% endmacro %}
