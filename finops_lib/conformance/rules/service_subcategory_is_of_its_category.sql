-- ServiceCategory is listed by FOCUS, and ServiceSubcategory is one of its own.
-- focus: ServiceCategory, ServiceSubcategory
-- since: 1.1
-- severity: error
-- official validator: misses it
select charge.x_SourceFile, charge.x_SourceRow
from cost_and_usage as charge
join (
    select distinct ServiceCategory, ServiceSubcategory
    from cost_and_usage
    where not exists (
        select 1 from service_subcategories as listed
        where listed.category = ServiceCategory and coalesce(listed.subcategory = ServiceSubcategory, true)
    )
) as offending on charge.ServiceCategory is not distinct from offending.ServiceCategory
    and charge.ServiceSubcategory is not distinct from offending.ServiceSubcategory
