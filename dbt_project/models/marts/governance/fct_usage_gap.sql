-- Whether an AI vendor's bill is its own count at list price: their gap by day, currency and model, and what explains
-- it. Where one side of a day does not tell the model, the day is compared as a whole. Reasons are looked for in the
-- order of their columns; what none of them explains stays unexplained.
with settings as (
    select
        {{ as_amount("max(case when measure = 'gap_rounding' then value end)") }} as rounding,
        {{ as_amount("max(case when measure = 'gap_tolerance' then value end)") }} as tolerance,
        cast(max(case when measure = 'late_usage_days' then value end) as int) as late_days
    from {{ ref('dim_threshold') }}
    where edition = 'setting' and grade = 'limit'
),

amounts as (
    select
        *,
        case when kind in ('tokens', 'not told') then side end as token_side
    from {{ ref('fct_usage_reconciliation') }}
),

-- What is known of the whole day, of its currency, and of all days of the account.
told as (
    select
        *,
        max(case when kind = 'not told' or (kind = 'tokens' and model is null) then 1 else 0 end)
            over (partition by service_provider_name, billing_account_id, charge_date) as without_model,
        count(case when token_side = 'bill' then 1 end)
            over (partition by service_provider_name, billing_account_id, charge_date) as day_billed,
        count(case when token_side = 'usage' then 1 end)
            over (partition by service_provider_name, billing_account_id, charge_date) as day_used,
        count(case when token_side = 'bill' then 1 end)
            over (partition by service_provider_name, billing_account_id, charge_date, billing_currency)
            as currency_billed,
        count(case when token_side = 'usage' then 1 end)
            over (partition by service_provider_name, billing_account_id, charge_date, billing_currency)
            as currency_used,
        max(case when token_side = 'bill' then charge_date end)
            over (partition by service_provider_name, billing_account_id) as billed_until,
        max(case when token_side = 'usage' then charge_date end)
            over (partition by service_provider_name, billing_account_id) as used_until,
        max(case when token_side is not null then charge_date end)
            over (partition by service_provider_name, billing_account_id) as last_day
    from amounts
),

sides as (
    select
        charge_date,
        service_provider_name,
        billing_account_id,
        billing_currency,
        case when without_model = 1 then 'all models' else coalesce(model, 'no model') end as model,
        day_billed,
        day_used,
        currency_billed,
        currency_used,
        billed_until,
        used_until,
        last_day,
        count(case when side = 'bill' then 1 end) as bill_rows,
        count(case when side = 'usage' then 1 end) as usage_rows,
        sum(case when side = 'bill' then amount end) as billed_cost,
        sum(case when side = 'usage' then amount end) as list_cost,
        sum(case when side = 'bill' and kind = 'tax' then amount else 0 end) as tax_gap,
        sum(case when side = 'bill' and kind = 'credit' then amount else 0 end) as credit_gap,
        sum(case when side = 'bill' and kind = 'adjustment' then amount else 0 end) as adjustment_gap,
        sum(case when side = 'bill' and kind = 'purchase' then amount else 0 end) as purchase_gap,
        sum(case when side = 'bill' and kind = 'other items' then amount else 0 end) as other_items_gap,
        sum(case when side = 'bill' and service_tier = 'priority' then coalesce(amount, 0) else 0 end)
            as priority_billed,
        sum(case when side = 'usage' and service_tier = 'priority' then coalesce(amount, 0) else 0 end)
            as priority_used,
        sum(case when side = 'bill' and kind = 'tokens' then tokens end) as billed_tokens,
        sum(case when side = 'usage' then tokens end) as counted_tokens,
        max(case when side = 'usage' and unpriced_tokens <> 0 then 1 else 0 end) = 1 as has_unpriced
    from told
    group by
        charge_date, service_provider_name, billing_account_id, billing_currency,
        case when without_model = 1 then 'all models' else coalesce(model, 'no model') end,
        day_billed, day_used, currency_billed, currency_used, billed_until, used_until, last_day
),

without_kinds as (
    select
        *,
        {{ exact_difference('coalesce(billed_cost, 0)', 'coalesce(list_cost, 0)') }} as gap,
        {{ exact_difference(
            exact_difference('coalesce(billed_cost, 0)', 'coalesce(list_cost, 0)'),
            exact_sum(
                exact_sum(exact_sum('tax_gap', 'credit_gap'), exact_sum('adjustment_gap', 'purchase_gap')),
                'other_items_gap'
            )
        ) }} as not_of_a_kind,
        (bill_rows > 0 and day_used > 0 and currency_used = 0)
        or (usage_rows > 0 and day_billed > 0 and currency_billed = 0) as is_of_another_currency
    from sides
),

without_priority as (
    select
        *,
        {{ dbt.datediff('charge_date', 'last_day', 'day') }}
            as days_to_last,
        case
            when
                not is_of_another_currency
                and not has_unpriced
                and (priority_billed = 0) <> (priority_used = 0)
                then {{ exact_difference('priority_billed', 'priority_used') }}
            else 0
        end as priority_tier_gap
    from without_kinds
),

remaining as (
    select
        without_priority.*,
        settings.rounding,
        settings.tolerance,
        settings.late_days,
        {{ exact_difference('without_priority.not_of_a_kind', 'without_priority.priority_tier_gap') }} as remainder
    from without_priority
    cross join settings
),

-- At most one reason explains all that the kinds of charges and the priority tier do not.
judged as (
    select
        *,
        case
            when is_of_another_currency then 'currency'
            when abs(remainder) <= rounding then 'rounding'
            when day_used = 0 and charge_date > used_until then 'late usage'
            when day_used = 0 then 'no usage delivered'
            when day_billed = 0 and charge_date > billed_until then 'late bill'
            when day_billed = 0 then 'no bill delivered'
            when
                remainder > 0
                and coalesce(billed_tokens, 0) > coalesce(counted_tokens, 0)
                and days_to_last < late_days
                then 'late usage'
            when remainder > 0 and has_unpriced then 'unpriced model'
            else 'unexplained'
        end as remainder_reason
    from remaining
)

select
    {{ row_key(['service_provider_name', 'billing_account_id', 'charge_date', 'billing_currency', 'model']) }}
        as comparison_id,
    {{ month_text('charge_date') }} as month,
    charge_date,
    service_provider_name,
    billing_account_id,
    model,
    billing_currency,
    cast(billed_cost as decimal(38, 18)) as billed_cost,
    cast(list_cost as decimal(38, 18)) as list_cost,
    cast(billed_tokens as decimal(38, 6)) as billed_tokens,
    cast(counted_tokens as decimal(38, 6)) as counted_tokens,
    cast(gap as decimal(38, 18)) as gap,
    cast(case when remainder_reason = 'currency' then remainder else 0 end as decimal(38, 18)) as currency_gap,
    cast(tax_gap as decimal(38, 18)) as tax_gap,
    cast(credit_gap as decimal(38, 18)) as credit_gap,
    cast(adjustment_gap as decimal(38, 18)) as adjustment_gap,
    cast(purchase_gap as decimal(38, 18)) as purchase_gap,
    cast(other_items_gap as decimal(38, 18)) as other_items_gap,
    cast(priority_tier_gap as decimal(38, 18)) as priority_tier_gap,
    cast(case when remainder_reason = 'no usage delivered' then remainder else 0 end as decimal(38, 18))
        as no_usage_delivered_gap,
    cast(case when remainder_reason = 'late usage' then remainder else 0 end as decimal(38, 18)) as late_usage_gap,
    cast(case when remainder_reason = 'no bill delivered' then remainder else 0 end as decimal(38, 18))
        as no_bill_delivered_gap,
    cast(case when remainder_reason = 'late bill' then remainder else 0 end as decimal(38, 18)) as late_bill_gap,
    cast(case when remainder_reason = 'unpriced model' then remainder else 0 end as decimal(38, 18))
        as unpriced_model_gap,
    cast(case when remainder_reason = 'rounding' then remainder else 0 end as decimal(38, 18)) as rounding_gap,
    cast(case when remainder_reason = 'unexplained' then remainder else 0 end as decimal(38, 18)) as unexplained_gap,
    case
        when remainder_reason = 'unexplained' and abs(remainder) > tolerance then 'unexplained'
        when gap = case when remainder_reason = 'rounding' then remainder else 0 end then 'matched'
        else 'explained'
    end as status
from judged
