{# What is in force in the lake, one row per source and month, with a text that changes whenever the ledger has
   something new to say of it. Charges that the ledger does not know have an empty one. #}
{% macro lake_months() -%}
select
        months.lake_source,
        months.lake_month,
        coalesce(concat_ws(' ', ledger.entries, ledger.last_entry), '') as lake_version
    from (
        select distinct
            lake_source,
            lake_month
        from {{ ref('stg_cost_and_usage') }}
    ) as months
    left join (
        select
            source,
            month,
            cast(count(*) as string) as entries,
            cast(max(delivered_at) as string) as last_entry
        from {{ ref('stg_delivery') }}
        where dataset = 'cost_and_usage'
        group by source, month
    ) as ledger on months.lake_source = ledger.source and months.lake_month = ledger.month
{%- endmacro %}

{# Whether a charge is of a month that this relation does not hold as the lake now has it. The months are written out,
   because engines leave unread only the files of months that they are told by name. #}
{% macro is_of_changed_month() -%}
{% set changed = run_query(
    'select lake_source, lake_month from (' ~ lake_months() ~ ') as held'
    ~ ' where not exists (select 1 from ' ~ this ~ ' as built where ' ~ same_month('built', 'held') ~ ')'
    ~ ' order by lake_source, lake_month'
) %}
(
    false
    {%- for source, month in changed.rows %}
    or (lake_source = {{ dbt.string_literal(source) }} and lake_month = {{ dbt.string_literal(month) }})
    {%- endfor %}
)
{%- endmacro %}

{% macro same_month(a, b) -%}
{{ a }}.lake_source = {{ b }}.lake_source and {{ a }}.lake_month = {{ b }}.lake_month
        and {{ a }}.lake_version = {{ b }}.lake_version
{%- endmacro %}

{# Takes out of an incremental relation every month that the lake no longer has, or has in another version. #}
{% macro forget_changed_months() %}
{% if execute and is_incremental() %}{{ return(adapter.dispatch('forget_changed_months')()) }}{% endif %}
{% endmacro %}

{% macro default__forget_changed_months() %}
delete from {{ this }} as built
where not exists (select 1 from ({{ lake_months() }}) as held where {{ same_month('built', 'held') }})
{% endmacro %}

{# Spark empties a partition of a Parquet table, but deletes no rows from it, and drops no partition that it finds by its
   folder. #}
{% macro spark__forget_changed_months() %}
{% set stale = run_query(
    'select distinct lake_source, lake_month from ' ~ this ~ ' as built where not exists'
    ~ ' (select 1 from (' ~ lake_months() ~ ') as held where ' ~ same_month('built', 'held') ~ ')'
) %}
{% set nothing = [] %}
{% for column in adapter.get_columns_in_relation(this) if column.name not in ('lake_source', 'lake_month') %}
    {% do nothing.append('cast(null as ' ~ column.dtype ~ ') as ' ~ column.name) %}
{% endfor %}
{% if stale.rows %}
    {% call statement() %}set spark.sql.sources.partitionOverwriteMode = static{% endcall %}
{% endif %}
{% for source, month in stale.rows %}
    {% call statement() %}
        insert overwrite table {{ this }}
        partition (lake_source = {{ dbt.string_literal(source) }}, lake_month = {{ dbt.string_literal(month) }})
        select {{ nothing | join(', ') }} where false
    {% endcall %}
{% endfor %}
{% endmacro %}
