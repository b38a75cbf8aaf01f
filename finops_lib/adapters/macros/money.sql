-- Quantity × price in decimals: exact but for one rounding at the 18th, where DECIMAL(38,18) alone would overflow.
--   A price of more than 12 decimals gives NULL rather than another price.
create macro exact_price(price) as case when cast(price as decimal(18, 12)) = price then cast(price as decimal(18, 12)) end;

create macro part_of_one(quantity) as cast(quantity - trunc(quantity) as decimal(18, 18));

create macro exact_product(quantity, price) as
    cast(cast(trunc(quantity) as decimal(20, 0)) * exact_price(price) as decimal(38, 18))
    + cast(part_of_one(quantity) * exact_price(price) as decimal(38, 18));

-- Whether that product needed no rounding, as FOCUS wants of a cost that has a unit price.
create macro is_exact_product(quantity, price) as coalesce(
    part_of_one(quantity) * exact_price(price)
        = cast(cast(part_of_one(quantity) * exact_price(price) as decimal(38, 18)) as decimal(36, 30)),
    false
);
