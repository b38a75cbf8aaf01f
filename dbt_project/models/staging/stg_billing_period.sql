select
    cast(BillingPeriodCreated as timestamp) as billing_period_created,
    cast(BillingPeriodEnd as timestamp) as billing_period_end,
    cast(BillingPeriodLastUpdated as timestamp) as billing_period_last_updated,
    cast(BillingPeriodStart as timestamp) as billing_period_start,
    BillingPeriodStatus as billing_period_status,
    InvoiceIssuerName as invoice_issuer_name,
    x_Adapter as x_adapter,
    x_SourceFile as x_source_file,
    x_SourceRow as x_source_row,
    x_SourcePart as x_source_part
from {{ source('lake', 'billing_period') }}
