-- What the plan and the outcomes name that nobody has, with the nearest name that somebody has, and what is named
-- twice: one row per row and column of a file. A plan may be ahead of its first charge, so that a new name alone is no
-- finding: it is one where it looks like a known name, or where money would move to it. An error stops the split of
-- pools.
with mentions as (
    select
        'shared_cost_rule' as dataset,
        x_source_file,
        x_source_row,
        'consumer_team' as column_name,
        'team' as dimension,
        consumer_team as name,
        driver in ('even', 'fixed') as moves_money,
        cast(null as decimal(38, 18)) as amount,
        cast(null as string) as billing_currency
    from {{ ref('stg_shared_cost_rule') }}
    {% for dataset, column, dimension, condition in [
        ('shared_cost_rule', 'pool_team', "'team'", 'true'),
        ('shared_cost_rule', 'pool_value', "coalesce(pool_field, 'team')", "coalesce(pool_field, 'team') <> 'charge_kind'"),
        ('budget', 'team', "'team'", 'true'),
        ('budget', 'product', "'product'", 'true'),
        ('budget', 'use_case', "'use_case'", 'true'),
        ('budget', 'service_name', "'service_name'", 'true'),
        ('organisation_cost', 'team', "'team'", 'true'),
        ('experiment', 'use_case', "'use_case'", 'true'),
        ('target', 'use_case', "'use_case'", 'true'),
        ('assumption', 'use_case', "'use_case'", 'true'),
        ('owner', 'subject', 'subject_kind', "subject_kind in ('team', 'use_case', 'product')"),
        ('outcome', 'use_case', "'use_case'", 'true'),
    ] %}
    union all
    select
        '{{ dataset }}' as dataset,
        x_source_file,
        x_source_row,
        '{{ column }}' as column_name,
        {{ dimension }} as dimension,
        {{ column }} as name,
        false as moves_money,
        {{ {'budget': 'amount', 'organisation_cost': 'amount', 'experiment': 'budget', 'outcome': 'revenue'}.get(
            dataset, 'cast(null as decimal(38, 18))'
        ) }} as amount,
        {{ 'currency' if dataset in ['budget', 'organisation_cost', 'experiment', 'outcome']
            else 'cast(null as string)' }} as billing_currency
    from {{ ref('stg_' ~ dataset) }}
    where {{ column }} is not null and {{ condition }}
    {% endfor %}
),

known as (
    {{ names_known() }}
),

-- Of an owner and of an outcome it is asked who else has the name.
unknown as (
    select mentions.*
    from mentions
    where
        not exists (
            select known.name
            from known
            where
                mentions.dimension = known.dimension
                and mentions.name = known.name
                and mentions.dataset <> known.known_by
        )
),

nearest as (
    select
        unknown.dimension,
        unknown.name,
        known.name as nearest,
        row_number() over (
            partition by unknown.dimension, unknown.name
            order by levenshtein({{ name_key('unknown.name') }}, {{ name_key('known.name') }}), known.name
        ) as nearness
    from ( -- noqa: ST05
        select distinct
            dimension,
            name
        from unknown
    ) as unknown
    inner join known
        on
            unknown.dimension = known.dimension
            and {{ is_near(name_key('unknown.name'), name_key('known.name')) }}
),

found as (
    select
        unknown.*,
        nearest.nearest,
        case when unknown.moves_money then 'error' else 'warning' end as severity,
        concat(
            'is a name that no charge, usage, telemetry',
            case when unknown.dataset = 'outcome' then '' else ', outcome' end,
            case when unknown.dataset = 'owner' then '' else ' or owner' end, ' has',
            case when unknown.moves_money then ', and a part of the pool would be its' else '' end
        ) as reason,
        case
            when nearest.nearest is not null
                then concat('Write ''', nearest.nearest, ''' if that is meant')
            else 'Mend the name'
        end as remedy
    from unknown
    left join nearest
        on unknown.dimension = nearest.dimension and unknown.name = nearest.name and nearest.nearness = 1
    where unknown.moves_money or nearest.nearest is not null

    union all

    select
        named.dataset,
        named.x_source_file,
        named.x_source_row,
        named.column_name,
        named.dimension,
        named.name,
        false as moves_money,
        cast(null as decimal(38, 18)) as amount,
        cast(null as string) as billing_currency,
        cast(null as string) as nearest,
        'warning' as severity,
        'is named twice, as another row spells it in another way' as reason,
        'Leave one of the rows' as remedy
    from (
        select
            'owner' as dataset,
            x_source_file,
            x_source_row,
            'subject' as column_name,
            subject_kind as dimension,
            subject as name,
            row_number() over (partition by subject_kind, subject order by x_source_row) as time_named
        from {{ ref('stg_owner') }}
        union all
        select
            'shared_cost_rule' as dataset,
            x_source_file,
            x_source_row,
            'consumer_team' as column_name,
            'team' as dimension,
            consumer_team as name,
            row_number() over (partition by rule_id, consumer_team, valid_from order by x_source_row) as time_named
        from {{ ref('stg_shared_cost_rule') }}
    ) as named
    where named.time_named > 1
)

select
    dataset,
    x_source_file as file,
    x_source_row as file_row,
    column_name,
    dimension,
    name as found,
    nearest,
    severity,
    reason,
    billing_currency,
    amount,
    concat(
        x_source_file, ', row ', cast(x_source_row as string), ', ', column_name, ': ''', name, ''' ', reason, '. ',
        remedy, case
            when reason like 'is a name%' and dimension <> 'service_name' then ', or register it in plan/owner.csv'
            else ''
        end, '.'
    ) as message
from found
