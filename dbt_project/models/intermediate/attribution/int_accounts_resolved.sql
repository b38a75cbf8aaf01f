-- What each account of the plan gives to the charges below it, one row per dimension: its own value, else that of the
-- nearest account above it. The tree is followed eight levels up.
{% set levels = 8 %}

with accounts as (
    select
        *,
        {{ name_key('provider') }} as plain_provider,
        {{ identifier_key('account_id') }} as plain_account_id,
        {{ identifier_key('parent_account_id') }} as plain_parent_id,
        count(*) over (partition by {{ identifier_key('account_id') }}) = 1 as is_only_one
    from {{ ref('stg_account') }}
),

chains as (
    select
        level_0.plain_provider,
        level_0.plain_account_id,
        level_0.is_only_one,
        level_0.plain_account_id as ancestor_0{% for level in range(1, levels + 1) %},
        level_{{ level }}.plain_account_id as ancestor_{{ level }}{% endfor %}

    from accounts as level_0
    {% for level in range(1, levels + 1) %}
    left join accounts as level_{{ level }}
        on
            level_{{ level - 1 }}.plain_parent_id = level_{{ level }}.plain_account_id
            and level_0.plain_provider = level_{{ level }}.plain_provider
    {% endfor %}
),

depths (depth) as (
    select *
    from (
        values
        {% for level in range(levels + 1) %}
        ({{ level }}){{ ',' if not loop.last }}
        {% endfor %}
    )
),

dimensions (dimension) as (
    select *
    from (
        values
        {% for dimension in account_dimensions() %}
        ('{{ dimension }}'){{ ',' if not loop.last }}
        {% endfor %}
    )
),

ancestors as (
    select
        chains.plain_provider,
        chains.plain_account_id,
        chains.is_only_one,
        depths.depth,
        case depths.depth
            {% for level in range(levels + 1) %}
            when {{ level }} then chains.ancestor_{{ level }}
            {% endfor %}
        end as ancestor_id
    from chains
    cross join depths
),

given as (
    select
        ancestors.plain_provider,
        ancestors.plain_account_id,
        ancestors.is_only_one,
        ancestors.depth,
        accounts.account_id as ancestor_id,
        dimensions.dimension,
        case dimensions.dimension
            {% for dimension in account_dimensions() %}
            when '{{ dimension }}' then accounts.{{ dimension }}
            {% endfor %}
        end as dimension_value
    from ancestors
    inner join accounts
        on
            ancestors.plain_provider = accounts.plain_provider
            and ancestors.ancestor_id = accounts.plain_account_id
    cross join dimensions
),

ranked as (
    select
        *,
        row_number() over (
            partition by plain_provider, plain_account_id, dimension
            order by depth
        ) as nearness
    from given
    where dimension_value is not null
)

select
    plain_provider as provider,
    plain_account_id as account_id,
    is_only_one,
    dimension,
    dimension_value,
    concat('account:', ancestor_id) as evidence
from ranked
where nearness = 1
