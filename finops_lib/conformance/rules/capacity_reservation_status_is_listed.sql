-- CapacityReservationStatus is one of the values FOCUS lists.
-- focus: CapacityReservationStatus
-- since: 1.1
-- severity: error
-- official validator: misses it
select * from cost_and_usage
where CapacityReservationStatus not in ('Used', 'Unused')
