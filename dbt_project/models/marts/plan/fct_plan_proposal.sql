-- What the plan could say next, each with the money it concerns: other spellings of registered names and of tag keys,
-- rules for what no team has, owners of teams that nobody registered, and next quarter's budgets at what the last three
-- months cost. `finops plan suggest` writes them in the plan's own columns.
-- A rule is proposed where all else that it catches is of one team: it never takes a charge from another. An account
-- of nobody is proposed as a team of its own where no teams are registered yet. A charge is in one proposed rule, the
-- first by field, so that proposals add up.
{% set fields = {
    'api_key_id': 'x_api_key_id', 'resource_id': 'resource_id', 'sub_account_id': 'sub_account_id',
    'billing_account_id': 'billing_account_id',
} %}

with registers as (
    select distinct
        subject_kind as dimension,
        subject as name
    from {{ ref('stg_owner') }}
    where subject_kind in ('team', 'product', 'use_case')
),

team_register as (
    select count(*) as teams
    from registers
    where dimension = 'team'
),

-- Where nobody registers owners of a dimension, the names that the plan's rules, aliases and accounts give are its own.
own_names as (
    select
        dimension,
        name
    from registers
    union distinct
    select
        names.dimension,
        names.name
    from {{ ref('stg_name') }} as names
    where
        names.registered_in in ('tag_rule', 'tag_alias', 'account')
        and names.dimension in ('team', 'product', 'use_case')
        and names.dimension not in (select registers.dimension from registers)
),

spent as (
    {% for dimension in ['team', 'product', 'use_case'] %}
    select
        '{{ dimension }}' as dimension,
        {{ dimension }} as name,
        billing_currency,
        sum(effective_cost) as effective_cost,
        cast(sum(charge_count) as bigint) as charge_count,
        min(charge_date) as first_date,
        max(charge_date) as last_date
    from {{ ref('int_costs_allocated') }}
    where {{ dimension }} <> 'unallocated'
    group by {{ dimension }}, billing_currency
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

foreign_names as (
    select distinct
        spent.dimension,
        spent.name
    from spent
    left join own_names on spent.dimension = own_names.dimension and spent.name = own_names.name
    where own_names.name is null
),

meant as (
    select
        foreign_names.dimension,
        foreign_names.name,
        own_names.name as proposed,
        row_number() over (
            partition by foreign_names.dimension, foreign_names.name
            order by
                levenshtein({{ name_key('foreign_names.name') }}, {{ name_key('own_names.name') }}), own_names.name
        ) as nearness
    from foreign_names
    inner join own_names
        on
            foreign_names.dimension = own_names.dimension
            and {{ is_near(name_key('foreign_names.name'), name_key('own_names.name')) }}
),

value_aliases as (
    select
        'tag_alias' as plan_file,
        spent.dimension,
        'tag value' as field,
        spent.name as found,
        meant.proposed,
        spent.billing_currency,
        spent.effective_cost,
        spent.charge_count,
        spent.first_date,
        spent.last_date,
        'near to a name of the plan' as reason
    from spent
    inner join meant on spent.dimension = meant.dimension and spent.name = meant.name and meant.nearness = 1
),

tag_fields as (
    select distinct
        subject_key,
        rules_as_of,
        tag_key
    from {{ ref('int_subject_fields_unpivoted') }}
    where field = 'tag'
),

read_keys as (
    select
        tag_key,
        min(dimension) as dimension
    from {{ ref('int_tag_rules_completed') }}
    where field = 'tag' and dimension in ('team', 'product', 'use_case')
    group by tag_key
),

all_keys as (
    select tag_key
    from {{ ref('int_tag_rules_completed') }}
    where field = 'tag'
    union distinct
    select {{ tag_key('tag_key') }} as tag_key
    from {{ ref('stg_lifecycle_rule') }}
    where tag_key is not null
),

key_meant as (
    select
        carried.tag_key as found,
        read_keys.tag_key as proposed,
        read_keys.dimension,
        row_number() over (
            partition by carried.tag_key
            order by levenshtein(carried.tag_key, read_keys.tag_key), read_keys.tag_key
        ) as nearness
    from (select distinct tag_key from tag_fields) as carried -- noqa: ST05
    inner join read_keys on {{ is_near('carried.tag_key', 'read_keys.tag_key') }}
    where carried.tag_key not in (select all_keys.tag_key from all_keys)
),

key_aliases as (
    select
        'tag_alias' as plan_file,
        key_meant.dimension,
        'tag key' as field,
        key_meant.found,
        key_meant.proposed,
        owned.billing_currency,
        sum(owned.effective_cost) as effective_cost,
        cast(sum(owned.charge_count) as bigint) as charge_count,
        min(owned.charge_date) as first_date,
        max(owned.charge_date) as last_date,
        'near to a key that rules read' as reason
    from {{ ref('int_charges_attributed') }} as owned
    inner join tag_fields
        on owned.subject_key = tag_fields.subject_key and owned.rules_as_of = tag_fields.rules_as_of
    inner join key_meant on tag_fields.tag_key = key_meant.found and key_meant.nearness = 1
    where
        case key_meant.dimension
            {% for dimension in ['team', 'product', 'use_case'] %}
            when '{{ dimension }}' then owned.{{ dimension }}
            {% endfor %}
        end = 'unallocated'
    group by key_meant.dimension, key_meant.found, key_meant.proposed, owned.billing_currency
),

-- What another proposal or a pool would take is no rule's to catch.
keyed_subjects as (
    select distinct
        tag_fields.subject_key,
        tag_fields.rules_as_of
    from tag_fields
    inner join key_meant on tag_fields.tag_key = key_meant.found
    where key_meant.dimension = 'team' and key_meant.nearness = 1
),

pools as (
    select distinct
        charge_date,
        pool_field,
        pool_value
    from {{ ref('int_pools_by_day') }}
    where stage is not null and (pool_field <> 'team' or pool_value = 'unallocated')
),

catchable as (
    select
        owned.*,
        owned.team = 'unallocated'
        and keyed_subjects.subject_key is null
        and of_charge_kind.pool_field is null
        and of_service_name.pool_field is null
        and of_team.pool_field is null as is_caught
    from {{ ref('int_charges_attributed') }} as owned
    left join keyed_subjects
        on owned.subject_key = keyed_subjects.subject_key and owned.rules_as_of = keyed_subjects.rules_as_of
    {% for field in ['charge_kind', 'service_name', 'team'] %}
    left join pools as of_{{ field }}
        on
            owned.charge_date = of_{{ field }}.charge_date
            and {{ name_key('owned.service_name') if field == 'service_name' else 'owned.' ~ field }}
            = {{ name_key('of_service_name.pool_value') if field == 'service_name' else 'of_' ~ field ~ '.pool_value' }}
            and of_{{ field }}.pool_field = '{{ field }}'
    {% endfor %}
),

{% for field, column in fields.items() %}
of_{{ field }} as (
    select
        {{ identifier_key(column) }} as pattern,
        min({{ column }}) as found,
        min(case when team <> 'unallocated' then team end) as proposed
    from catchable
    where {{ column }} is not null
    group by {{ identifier_key(column) }}
    having
        sum(case when is_caught then 1 else 0 end) > 0
        and (
            count(distinct case when team <> 'unallocated' then team end) = 1
            {%- if field == 'sub_account_id' %}
            or (
                count(distinct case when team <> 'unallocated' then team end) = 0
                and (select team_register.teams from team_register) = 0
            )
            {%- endif %}
        )
),

{% endfor %}
account_names as (
    select
        sub_account_id,
        min(sub_account_name) as sub_account_name
    from {{ ref('int_charges_by_day') }}
    where sub_account_id is not null and sub_account_name is not null
    group by sub_account_id
),

caught as (
    select
        catchable.billing_currency,
        catchable.effective_cost,
        catchable.charge_count,
        catchable.charge_date,
        case
            {% for field, column in fields.items() %}
            when of_{{ field }}.pattern is not null then '{{ field }}'
            {% endfor %}
        end as field,
        coalesce(
            {% for field in fields %}
            of_{{ field }}.found{{ ',' if not loop.last }}
            {% endfor %}
        ) as found,
        case
            {% for field, column in fields.items() %}
            when of_{{ field }}.pattern is not null then of_{{ field }}.proposed
            {% endfor %}
        end as proposed_team
    from catchable
    {% for field, column in fields.items() %}
    left join of_{{ field }} on {{ identifier_key('catchable.' ~ column) }} = of_{{ field }}.pattern
    {% endfor %}
    where catchable.is_caught
),

rules as (
    select
        'tag_rule' as plan_file,
        'team' as dimension,
        caught.field,
        caught.found,
        coalesce(
            caught.proposed_team, {{ identifier_key('max(account_names.sub_account_name)') }},
            {{ identifier_key('caught.found') }}
        ) as proposed,
        caught.billing_currency,
        sum(caught.effective_cost) as effective_cost,
        cast(sum(caught.charge_count) as bigint) as charge_count,
        min(caught.charge_date) as first_date,
        max(caught.charge_date) as last_date,
        case
            when caught.proposed_team is null then 'of nobody: named after the account'
            else 'all else there is of this team'
        end as reason
    from caught
    left join account_names on caught.field = 'sub_account_id' and caught.found = account_names.sub_account_id
    where caught.field is not null
    group by caught.field, caught.found, caught.proposed_team, caught.billing_currency
),

unregistered as (
    select
        name,
        billing_currency,
        effective_cost,
        charge_count,
        first_date,
        last_date
    from spent
    where dimension = 'team' and name not in (select value_aliases.found from value_aliases)
    union all
    select
        proposed as name,
        billing_currency,
        effective_cost,
        charge_count,
        first_date,
        last_date
    from rules
),

owners as (
    select
        'owner' as plan_file,
        'team' as dimension,
        'team' as field,
        unregistered.name as found,
        unregistered.name as proposed,
        unregistered.billing_currency,
        sum(unregistered.effective_cost) as effective_cost,
        cast(sum(unregistered.charge_count) as bigint) as charge_count,
        min(unregistered.first_date) as first_date,
        max(unregistered.last_date) as last_date,
        'no owner is registered for it' as reason
    from unregistered
    left join registers on registers.dimension = 'team' and unregistered.name = registers.name
    where registers.name is null
    group by unregistered.name, unregistered.billing_currency
),

this_month as (
    select
        cast(concat({{ month_text('data_through') }}, '-01') as date) as first_day,
        {{ dbt.last_day('data_through', 'month') }} = data_through as is_over
    from {{ ref('int_data_date_found') }}
    where data_through is not null
),

quarters as (
    select
        cast(
            case
                when is_over then {{ dbt.dateadd('month', -2, 'first_day') }}
                else {{ dbt.dateadd('month', -3, 'first_day') }}
            end as date
        ) as first_day,
        cast(
            case when is_over then {{ dbt.dateadd('month', 1, 'first_day') }} else first_day end as date
        ) as end_day,
        first_day as month_day
    from this_month
),

budget_months as (
    {% for months in [1, 2, 3] %}
    select {{ month_text('cast(' ~ dbt.dateadd('month', months, 'month_day') ~ ' as date)') }} as month
    from quarters
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

recent as (
    select
        coalesce(meant.proposed, costs.team) as team,
        costs.billing_currency,
        sum(costs.effective_cost) as effective_cost,
        cast(sum(costs.charge_count) as bigint) as charge_count,
        min(costs.charge_date) as first_date,
        max(costs.charge_date) as last_date
    from {{ ref('int_costs_allocated') }} as costs
    inner join quarters on costs.charge_date >= quarters.first_day and costs.charge_date < quarters.end_day
    left join meant on meant.dimension = 'team' and costs.team = meant.name and meant.nearness = 1
    where costs.team <> 'unallocated'
    group by coalesce(meant.proposed, costs.team), costs.billing_currency
    having sum(costs.effective_cost) > 0
),

budgets as (
    select
        'budget' as plan_file,
        'team' as dimension,
        'team' as field,
        recent.team as found,
        budget_months.month as proposed,
        recent.billing_currency,
        {{ as_amount('round(cast(recent.effective_cost as double) / 3, 2)') }} as effective_cost,
        recent.charge_count,
        recent.first_date,
        recent.last_date,
        'what a month of the last three cost' as reason
    from recent
    cross join budget_months
    left join {{ ref('stg_budget') }} as planned
        on
            budget_months.month = planned.month
            and recent.team = planned.team
            and recent.billing_currency = planned.currency
            and planned.product is null
            and planned.use_case is null
            and planned.service_name is null
            and planned.lifecycle is null
    where planned.budget_name is null
)

{% for part in ['value_aliases', 'key_aliases', 'rules', 'owners', 'budgets'] %}
select
    plan_file,
    dimension,
    field,
    found,
    proposed,
    billing_currency,
    cast(effective_cost as decimal(38, 18)) as effective_cost,
    charge_count,
    first_date,
    last_date,
    reason
from {{ part }}
{{ 'union all' if not loop.last }}
{% endfor %}
