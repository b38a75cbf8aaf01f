-- Every column that FOCUS does not define starts with x_.
-- focus: CustomColumnHandling
-- since: 1.0
-- severity: error
-- official validator: misses it
select null as x_SourceFile, null as x_SourceRow
from (describe cost_and_usage) as delivered
where column_name not in (select name from focus_columns) and column_name not like 'x\_%' escape '\'
    and column_name not in ('source', 'billing_month')
