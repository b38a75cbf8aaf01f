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

-- Whether a credit of Google's lowers the price of its line; all others, unknown ones included, are money given.
create macro gcp_lowers_price(credit_type) as coalesce(
    credit_type like '%DISCOUNT%'
        or credit_type in ('FREE_TIER', 'RESELLER_MARGIN', 'SUBSCRIPTION_BENEFIT', 'FEE_UTILIZATION_OFFSET'),
    false
);

-- An amount at the discount between two net sums and what they are of, the first pair that there is.
create macro aws_discount(net_fees, fees, net_cost, cost) as coalesce(
    cast(net_fees as double) / nullif(cast(fees as double), 0), cast(net_cost as double) / nullif(cast(cost as double), 0), 1
);

create macro aws_discounted(amount, net_fees, fees, net_cost, cost) as case
    when amount = 0 or aws_discount(net_fees, fees, net_cost, cost) = 1 then amount
    -- a double has no eighteen decimals to give: ten of its own, the others are 0
    else cast(cast(cast(amount as double) * aws_discount(net_fees, fees, net_cost, cost) as decimal(28, 10)) as decimal(38, 18))
end;
