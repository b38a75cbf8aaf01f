-- Every charge of a network service that is measured in bytes, and every other whose words tell of moved data, is in
-- fct_data_transfer with all its cost, whatever its direction.
{{ money_lost(
    "select billing_currency, billed_cost, effective_cost from " ~ ref('stg_cost_and_usage')
    ~ " where charge_category = 'Usage'"
    ~ " and lower(consumed_unit) in ('bytes', 'kb', 'mb', 'gb', 'tb', 'kib', 'mib', 'gib', 'tib')"
    ~ " and (service_subcategory in ('Network Connectivity', 'Content Delivery') or "
    ~ tells_of_transfer("lower(concat(coalesce(sku_meter, ''), ' ', coalesce(charge_description, '')))") ~ ")",
    "select billing_currency, billed_cost, effective_cost from " ~ ref('fct_data_transfer')
) }}
