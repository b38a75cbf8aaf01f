-- OpenCost's cloud cost (the JSON of its cloudCost API): sums of a provider's bill by day.  Not read.
-- formats: json
-- refused: These are sums of a cloud provider's bill, made by OpenCost without currency, account or kind of charge, and would count that bill twice. Deliver the provider's own export.
-- holds: json_exists("data", '$.sets[0].cloudCosts') or json_exists("data", '$[0].cloudCosts')
create table raw (code bigint not null, "data" json not null);
