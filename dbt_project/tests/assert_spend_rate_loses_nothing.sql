-- The hours of fct_spend_rate that were billed add up to the usage of the data's month and the one before, through the
-- last day of data.
{{ money_lost(
    'select charges.billing_currency, charges.effective_cost as billed_cost, charges.effective_cost from '
    ~ ref('int_charges_by_day') ~ ' as charges inner join ' ~ ref('int_data_date_found')
    ~ ' as data_date on charges.charge_date >= '
    ~ "cast(" ~ dbt.dateadd('month', -1, dbt.date_trunc('month', 'data_date.data_through')) ~ " as date)"
    ~ " and (not charges.is_spread or charges.charge_date <= data_date.data_through)"
    ~ " where charges.charge_category = 'Usage'",
    'select billing_currency, effective_cost_per_hour as billed_cost, effective_cost_per_hour as effective_cost from '
    ~ ref('fct_spend_rate') ~ " where basis <> 'estimated'",
) }}
