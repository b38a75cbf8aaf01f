-- A service of a provider is in one ServiceCategory.
-- focus: ServiceName, ServiceCategory
-- since: 1.2
-- severity: error
-- official validator: finds it
select charge.x_SourceFile, charge.x_SourceRow
from cost_and_usage as charge
join (
    select ServiceProviderName, ServiceName
    from cost_and_usage
    group by ServiceProviderName, ServiceName
    having min(ServiceCategory) <> max(ServiceCategory)
) as offending using (ServiceProviderName, ServiceName)
