"""What a restatement changed: two deliveries of one unit, by service, sub-account and charge kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from . import lake
from .contract import literal
from .errors import DamagedError, UsageError
from .lake import Delivery, Home
from .money import EXACT

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What changed of one service, sub-account and charge kind in one currency; later minus earlier."""

    service: str | None
    sub_account: str | None
    charge: str | None
    currency: str
    rows: int
    billed_before: Decimal
    billed_after: Decimal
    effective_before: Decimal
    effective_after: Decimal

    @property
    def billed(self) -> Decimal:
        return EXACT.subtract(self.billed_after, self.billed_before)

    @property
    def effective(self) -> Decimal:
        return EXACT.subtract(self.effective_after, self.effective_before)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two deliveries of one unit, the earlier one first, and all that differs between them."""

    before: Delivery
    after: Delivery
    changes: list[Change]
    """By currency, the largest change of billed cost first; what stayed the same is left out."""

    def total(self, currency: str) -> tuple[Decimal, Decimal]:
        """Change of billed and of effective cost, exact."""
        billed, effective = ZERO, ZERO
        for change in self.changes:
            if change.currency == currency:
                billed, effective = EXACT.add(billed, change.billed), EXACT.add(effective, change.effective)
        return billed, effective

    @property
    def currencies(self) -> list[str]:
        return sorted({change.currency for change in self.changes})


def difference(home: Home, one: str, other: str | None = None) -> Difference:
    """Compare two deliveries of a unit; whichever is named first, later is compared with earlier.

    Reads    ids as `finops deliveries` shows them, or the start of one; without the second, what the first replaced.
    Refuses  UsageError for an id that is unknown or of several deliveries, for deliveries of different units, and for
             those of which no charges are kept.
    """
    ledger = lake.deliveries(home)
    first = _found(ledger, one)
    second = _found(ledger, other) if other is not None else _replaced(ledger, first)
    if first.partition != second.partition:
        raise UsageError(
            f"{first.id} is {first.partition}, {second.id} is {second.partition}: only deliveries of one unit can be "
            "compared."
        )
    before, after = sorted((first, second), key=lambda d: d.delivered_at)
    rows = _rows(home, before, "before") + " union all " + _rows(home, after, "after")
    with _reading(home), duckdb.connect() as db:
        found = db.sql(
            "select ServiceName, SubAccountId, ChargeCategory, BillingCurrency, "
            "sum(case when which = 'after' then rows else -rows end), "
            + ", ".join(
                f"coalesce(sum({cost}) filter (where which = '{which}'), 0)"
                for cost in ("billed", "effective")
                for which in ("before", "after")
            )
            + f" from ({rows}) group by all"
        ).fetchall()
    changes = [
        Change(
            service=service, sub_account=account, charge=charge, currency=str(currency), rows=int(count),
            billed_before=b0, billed_after=b1, effective_before=e0, effective_after=e1,
        )
        for service, account, charge, currency, count, b0, b1, e0, e1 in found
        if count or b0 != b1 or e0 != e1
    ]  # fmt: skip
    changes.sort(
        key=lambda c: (
            c.currency, -abs(c.billed), -abs(c.effective), c.service or "", c.sub_account or "", c.charge or "",
        )
    )  # fmt: skip
    return Difference(before=before, after=after, changes=changes)


@contextmanager
def _reading(home: Home) -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        said = str(error).splitlines()[0].removesuffix(".")
        raise DamagedError(
            f"What is kept of these deliveries below {home.lake} cannot be read ({said}). `finops verify` says what to "
            "do; their totals stand in `finops deliveries`."
        ) from None


def _found(ledger: list[Delivery], start: str) -> Delivery:
    found = [d for d in ledger if start and (d.id.startswith(start) or d.delivery_id.startswith(start))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"There is no delivery {start!r}. `finops deliveries` shows the id of each.")
    listed = "; ".join(f"{d.id} ({d.partition}, {d.delivered_at[:19]})" for d in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    raise UsageError(f"{start!r} may be any of {len(found)} deliveries: {listed}{more}. Say more of the id.")


def _replaced(ledger: list[Delivery], delivery: Delivery) -> Delivery:
    for earlier in ledger:
        if earlier.partition == delivery.partition and earlier.delivery_id == delivery.replaced:
            return earlier
    raise UsageError(
        f"{delivery.id} is the first delivery of {delivery.partition}: it replaced nothing to compare with."
    )


def _rows(home: Home, delivery: Delivery, which: str) -> str:
    """A SELECT of what a unit held after a delivery."""
    columns = "ServiceName, SubAccountId, ChargeCategory, BillingCurrency"
    if delivery.withdrawn:
        nothing = ", ".join(f"cast(null as varchar) as {c.strip()}" for c in columns.split(","))
        costs = "cast(null as decimal(38, 18)) as billed, cast(null as decimal(38, 18)) as effective"
        return f"select '{which}' as which, {nothing}, 0 as rows, {costs} where false"
    file = lake.breakdown(home, delivery)
    if file is not None:
        return f"select '{which}' as which, {columns}, rows, billed, effective from read_parquet({literal(str(file))})"
    if not delivery.billed_total:
        raise UsageError(
            f"{delivery.id} is {delivery.partition}, which holds no charges: there are no amounts to compare."
        )
    if lake.holding(home, delivery.partition) != delivery:
        raise UsageError(
            f"{delivery.id} ({delivery.partition}, {delivery.delivered_at[:19]}) came in before the ledger kept its "
            "breakdown, and its rows have been replaced. Its totals stand in `finops deliveries`."
        )
    data = literal(str(home.lake / delivery.partition.file))
    return (
        f"select '{which}' as which, {columns}, count(*) as rows, sum(BilledCost) as billed, "
        f"sum(EffectiveCost) as effective from read_parquet({data}, hive_partitioning = false) group by all"
    )
