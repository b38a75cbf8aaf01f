-- CapacityReservationStatus is on usage that names a capacity reservation, and never without one.
-- focus: CapacityReservationId, CapacityReservationStatus
-- since: 1.1
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where (CapacityReservationStatus is not null and CapacityReservationId is null)
    or (ChargeCategory = 'Usage' and CapacityReservationId is not null and CapacityReservationStatus is null)
