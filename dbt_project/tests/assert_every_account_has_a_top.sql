-- Every account reaches the top of its tree: none stands below itself, or more than eight levels down. Accounts that
-- have eight others above them, and still a parent, are named.
{% set levels = 8 %}

with accounts as (
    select
        lower(provider) as provider,
        lower(account_id) as account_id,
        lower(parent_account_id) as parent_account_id
    from {{ ref('stg_account') }}
)

select
    level_0.provider,
    level_0.account_id
from accounts as level_0
{% for level in range(1, levels + 1) %}
inner join accounts as level_{{ level }}
    on
        level_{{ level - 1 }}.parent_account_id = level_{{ level }}.account_id
        and level_0.provider = level_{{ level }}.provider
{% endfor %}
where level_{{ levels }}.parent_account_id is not null
