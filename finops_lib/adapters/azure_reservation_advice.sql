-- Azure reservation recommendations: what Azure advises to buy.  Not read.
-- formats: csv, parquet
-- refused: These are Azure's advice what to reserve, not charges: nothing of it was bought or billed. Deliver the cost details of the same scope; reservations that were bought come in as reservation transactions.
create table raw (
    location varchar not null, look_back_period varchar not null, recommended_quantity decimal(38, 18) not null,
    cost_with_no_reserved_instances decimal(38, 18) not null, net_savings decimal(38, 18) not null
);
