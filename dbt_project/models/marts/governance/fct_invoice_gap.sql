-- Whether the bill is what its invoices say: each invoice in each currency beside the charges that name it, their gap
-- and what explains it. Reasons are looked for in the order of their columns; each takes its amount from evidence on
-- one of the sides, and what none of them explains stays unexplained.
with settings as (
    select
        {{ as_amount("max(case when measure = 'gap_rounding' then value end)") }} as rounding,
        {{ as_amount("max(case when measure = 'gap_tolerance' then value end)") }} as tolerance
    from {{ ref('dim_threshold') }}
    where edition = 'setting' and grade = 'limit'
),

charges as (
    select *
    from {{ ref('fct_invoice_reconciliation') }}
    where side = 'charges'
),

charged_invoices as (
    select distinct invoice_id
    from charges
    where invoice_id is not null
),

stated as (
    select
        side as stated_by,
        invoice_id,
        billing_currency,
        min(month) as month,
        max(month) as last_month,
        min(invoice_issuer) as invoice_issuer,
        sum(amount) as amount,
        case when count(tax_amount) = count(*) then sum(tax_amount) end as tax_amount,
        case when count(credit_amount) = count(*) then sum(credit_amount) end as credit_amount,
        case when count(correction_amount) = count(*) then sum(correction_amount) end as correction_amount
    from {{ ref('fct_invoice_reconciliation') }}
    where side <> 'charges'
    group by side, invoice_id, billing_currency
),

stated_invoices as (
    select distinct invoice_id
    from stated
),

stated_amounts as (
    select distinct
        invoice_id,
        billing_currency
    from stated
),

-- A charge is on the line of every side that states its invoice in its currency, else on a line of its own: one per
-- invoice, or per month, account and issuer of charges without one.
charged_lines as (
    select
        stated.stated_by,
        stated.invoice_id,
        cast(null as string) as billing_account_id,
        cast(null as string) as nameless_month,
        cast(null as string) as nameless_issuer,
        charges.invoice_id as named_invoice_id,
        charges.billing_account_id as charged_account_id,
        charges.month,
        charges.invoice_issuer,
        charges.billing_currency,
        charges.amount,
        charges.tax_amount,
        charges.credit_amount,
        charges.correction_amount
    from charges
    inner join stated
        on
            charges.compared_invoice_id = stated.invoice_id
            and charges.billing_currency = stated.billing_currency
            and (charges.invoice_id is not null or stated.stated_by = 'plan')

    union all

    select
        'nothing' as stated_by,
        charges.invoice_id,
        case when charges.invoice_id is null then charges.billing_account_id end as billing_account_id,
        case when charges.invoice_id is null then charges.month end as nameless_month,
        case when charges.invoice_id is null then charges.invoice_issuer end as nameless_issuer,
        charges.invoice_id as named_invoice_id,
        charges.billing_account_id as charged_account_id,
        charges.month,
        charges.invoice_issuer,
        charges.billing_currency,
        charges.amount,
        charges.tax_amount,
        charges.credit_amount,
        charges.correction_amount
    from charges
    left join stated_amounts
        on
            charges.compared_invoice_id = stated_amounts.invoice_id
            and charges.billing_currency = stated_amounts.billing_currency
    where stated_amounts.invoice_id is null
),

charged as (
    select
        stated_by,
        invoice_id,
        billing_account_id,
        nameless_month,
        nameless_issuer,
        billing_currency,
        min(month) as month,
        max(month) as last_month,
        min(invoice_issuer) as invoice_issuer,
        sum(amount) as amount,
        sum(tax_amount) as tax_amount,
        sum(credit_amount) as credit_amount,
        sum(correction_amount) as correction_amount
    from charged_lines
    group by stated_by, invoice_id, billing_account_id, nameless_month, nameless_issuer, billing_currency
),

-- Charges that name no invoice, of the accounts, months and issuers that an invoice has charges of.
accounts_of_lines as (
    select distinct
        stated_by,
        invoice_id,
        charged_account_id,
        month,
        invoice_issuer,
        billing_currency
    from charged_lines
    where stated_by <> 'nothing' and named_invoice_id is not null
),

nameless as (
    select
        accounts_of_lines.stated_by,
        accounts_of_lines.invoice_id,
        accounts_of_lines.billing_currency,
        sum(charges.amount) as amount
    from accounts_of_lines
    inner join charges
        on
            accounts_of_lines.charged_account_id = charges.billing_account_id
            and accounts_of_lines.month = charges.month
            and accounts_of_lines.invoice_issuer = charges.invoice_issuer
            and accounts_of_lines.billing_currency = charges.billing_currency
    where charges.compared_invoice_id is null
    group by accounts_of_lines.stated_by, accounts_of_lines.invoice_id, accounts_of_lines.billing_currency
),

compared as (
    select
        coalesce(stated.stated_by, charged.stated_by) as stated_by,
        coalesce(stated.invoice_id, charged.invoice_id) as invoice_id,
        charged.billing_account_id,
        charged.nameless_month,
        charged.nameless_issuer,
        coalesce(stated.billing_currency, charged.billing_currency) as billing_currency,
        coalesce(charged.month, stated.month) as month,
        coalesce(charged.last_month, stated.last_month) as last_month,
        coalesce(charged.invoice_issuer, stated.invoice_issuer) as invoice_issuer,
        charged.amount as billed_cost,
        stated.amount as stated_amount,
        {{ exact_difference('coalesce(charged.amount, 0)', 'coalesce(stated.amount, 0)') }} as gap,
        charged.tax_amount as charged_tax,
        charged.credit_amount as charged_credit,
        charged.correction_amount as charged_correction,
        stated.tax_amount as stated_tax,
        stated.credit_amount as stated_credit,
        stated.correction_amount as stated_correction
    from charged
    full outer join stated
        on
            charged.stated_by = stated.stated_by
            and charged.invoice_id = stated.invoice_id
            and charged.billing_currency = stated.billing_currency
),

-- Where one of the sides is not there, one reason explains the whole gap or nothing does.
judged as (
    select
        compared.*,
        {{ row_key(['compared.stated_by', 'compared.invoice_id', 'compared.billing_account_id',
                    'compared.billing_currency', 'compared.nameless_month', 'compared.nameless_issuer']) }}
            as comparison_id,
        settings.rounding,
        settings.tolerance,
        case
            when compared.billed_cost is null and charged_invoices.invoice_id is not null then 'currency'
            when compared.billed_cost is null then 'no charges'
            when compared.stated_by <> 'nothing' then 'both sides'
            when compared.invoice_id is null then 'no invoice id'
            when stated_invoices.invoice_id is not null then 'currency'
            else 'no invoice delivered'
        end as found
    from compared
    left join charged_invoices on compared.invoice_id = charged_invoices.invoice_id
    left join stated_invoices on compared.invoice_id = stated_invoices.invoice_id
    cross join settings
),

-- Only what one side has and the other has nothing of explains itself. Of an invoice that does not state its tax, its
-- credits or its corrections, those of the charges may.
parts as (
    select
        *,
        case
            when found = 'both sides' and (charged_tax = 0) <> (stated_tax = 0)
                then {{ exact_difference('charged_tax', 'stated_tax') }}
            else 0
        end as seen_tax,
        case
            when found = 'both sides' and (charged_credit = 0) <> (stated_credit = 0)
                then {{ exact_difference('charged_credit', 'stated_credit') }}
            else 0
        end as seen_credit,
        case
            when found = 'both sides' and (charged_correction = 0) <> (stated_correction = 0)
                then {{ exact_difference('charged_correction', 'stated_correction') }}
            else 0
        end as seen_correction,
        case when found = 'both sides' and stated_tax is null then charged_tax else 0 end as possible_tax,
        case when found = 'both sides' and stated_credit is null then charged_credit else 0 end as possible_credit,
        case
            when found = 'both sides' and stated_correction is null then charged_correction else 0
        end as possible_correction
    from judged
),

first_left as (
    select
        *,
        {{ exact_difference('gap', exact_sum(exact_sum('seen_tax', 'seen_credit'), 'seen_correction')) }} as not_seen
    from parts
),

choices (choice, with_tax, with_credit, with_correction) as (
    select *
    from (
        values
        (1, true, false, false),
        (2, false, true, false),
        (3, false, false, true),
        (4, true, true, false),
        (5, true, false, true),
        (6, false, true, true),
        (7, true, true, true)
    )
),

candidates as (
    select
        first_left.comparison_id,
        choices.choice,
        first_left.not_seen,
        first_left.rounding,
        case when choices.with_tax then first_left.possible_tax else 0 end as tax,
        case when choices.with_credit then first_left.possible_credit else 0 end as credit,
        case when choices.with_correction then first_left.possible_correction else 0 end as correction
    from first_left
    cross join choices
    where first_left.found = 'both sides' and abs(first_left.not_seen) > first_left.rounding
),

-- The first and smallest choice that is the gap.
fitting as (
    select
        comparison_id,
        tax,
        credit,
        correction,
        row_number() over (partition by comparison_id order by choice) as fit_rank
    from candidates
    where abs({{ exact_difference('not_seen', exact_sum(exact_sum('tax', 'credit'), 'correction')) }}) <= rounding
),

second_left as (
    select
        first_left.*,
        coalesce(nameless.amount, 0) as nameless_amount,
        {{ exact_sum('first_left.seen_tax', 'coalesce(fitting.tax, 0)') }} as tax_gap,
        {{ exact_sum('first_left.seen_credit', 'coalesce(fitting.credit, 0)') }} as credit_gap,
        {{ exact_sum('first_left.seen_correction', 'coalesce(fitting.correction, 0)') }} as correction_gap,
        {{ exact_difference(
            'first_left.not_seen',
            exact_sum(exact_sum('coalesce(fitting.tax, 0)', 'coalesce(fitting.credit, 0)'),
                      'coalesce(fitting.correction, 0)')
        ) }} as not_fitting
    from first_left
    left join fitting on first_left.comparison_id = fitting.comparison_id and fitting.fit_rank = 1
    left join nameless
        on
            first_left.stated_by = nameless.stated_by
            and first_left.invoice_id = nameless.invoice_id
            and first_left.billing_currency = nameless.billing_currency
),

last_left as (
    select
        *,
        case
            when
                found = 'both sides'
                and abs(not_fitting) > rounding
                and abs({{ exact_sum('not_fitting', 'nameless_amount') }}) <= rounding
                then -nameless_amount
            else 0
        end as nameless_gap
    from second_left
),

explained as (
    select
        *,
        case when found = 'no invoice id' then gap else 0 end as no_invoice_id_gap,
        case when found = 'no invoice delivered' then gap else 0 end as no_invoice_delivered_gap,
        case when found = 'currency' then gap else 0 end as currency_gap,
        case
            when
                found = 'both sides'
                and abs({{ exact_difference('not_fitting', 'nameless_gap') }}) <= rounding
                then {{ exact_difference('not_fitting', 'nameless_gap') }}
            else 0
        end as rounding_gap
    from last_left
),

summed as (
    select
        *,
        case
            when found in ('both sides', 'no charges')
                then {{ exact_difference(exact_difference('not_fitting', 'nameless_gap'), 'rounding_gap') }}
            else 0
        end as unexplained_gap
    from explained
)

select
    comparison_id,
    month,
    last_month,
    invoice_id,
    invoice_issuer,
    billing_account_id,
    billing_currency,
    stated_by,
    cast(billed_cost as decimal(38, 18)) as billed_cost,
    cast(stated_amount as decimal(38, 18)) as stated_amount,
    cast(gap as decimal(38, 18)) as gap,
    cast(no_invoice_id_gap as decimal(38, 18)) as no_invoice_id_gap,
    cast(no_invoice_delivered_gap as decimal(38, 18)) as no_invoice_delivered_gap,
    cast(currency_gap as decimal(38, 18)) as currency_gap,
    cast(tax_gap as decimal(38, 18)) as tax_gap,
    cast(credit_gap as decimal(38, 18)) as credit_gap,
    cast(correction_gap as decimal(38, 18)) as correction_gap,
    cast(nameless_gap as decimal(38, 18)) as nameless_gap,
    cast(rounding_gap as decimal(38, 18)) as rounding_gap,
    cast(unexplained_gap as decimal(38, 18)) as unexplained_gap,
    case
        when abs(unexplained_gap) > tolerance then 'unexplained'
        when found = 'both sides' and nameless_gap = 0 then 'matched'
        when stated_amount is null and billed_cost = 0 then 'nothing to invoice'
        else 'explained'
    end as status
from summed
