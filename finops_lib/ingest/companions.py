"""Companion exports: which charges those that arrived complete, and from which stored files. Pure, like `admit`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..lake import TIMELESS, Delivery, Partition, Verdict
from .adapters import Adapter
from .facts import COMPANIONS, AccountMonth, Rejected


@dataclass(frozen=True, kw_only=True)
class Together:
    """Companion exports of one account-month, and the charges they make."""

    adapter: Adapter
    where: AccountMonth
    arrived: str
    """The export that came with this call."""
    stored: Mapping[str, Partition]
    """Where each of them is stored, or would be."""
    holds: Mapping[Partition, Delivery]

    @property
    def deliveries(self) -> list[Delivery]:
        return [self.holds[p] for p in self.stored.values() if p in self.holds]

    @property
    def waiting(self) -> Verdict | None:
        """What is said while an export is missing without which no charge can be made."""
        needed = (self.adapter.name, *self.adapter.waits_for)
        awaited = next((name for name in needed if self.stored[name] not in self.holds), None)
        if awaited is None:
            return None
        of_month = " of that month" if awaited == self.adapter.name and self.where.month != TIMELESS else ""
        message = (
            f"{self.arrived}, account {self.where.account}, {self.where.month}: kept; its charges appear once the "
            f"{awaited} export{of_month} is delivered too"
        )
        return Verdict(decision="held", source=self.arrived, partition=self.stored[self.arrived], messages=(message,))

    @property
    def rejected(self) -> dict[AccountMonth, Rejected]:
        """What of the exports was rejected when they were stored: the charges lack it too."""
        found: dict[AccountMonth, Rejected] = {}
        for d in self.deliveries:
            if d.rows_rejected:
                billed = {c: Decimal(a) for c, a in d.rejected_total.items()}
                where = AccountMonth(d.billing_account, d.month)
                more = Rejected(rows=d.rows_rejected, billed=billed, unreadable=d.rejected_unreadable)
                found[where] = found.get(where, Rejected()) + more
        return found


def completed(
    adapters: Sequence[Adapter], arrived: Collection[Partition], holds: Mapping[Partition, Delivery]
) -> Iterator[Together]:
    """The account-months of which a companion export has arrived, each with all the exports that make its charges."""
    for adapter in adapters:
        if adapter.select is None or not adapter.companions:
            continue
        for where, name in sorted(_touched(adapter, arrived, holds).items()):
            stored = {n: _stored(n, where, holds) for n in (adapter.name, *adapter.companions)}
            yield Together(adapter=adapter, where=where, arrived=name, stored=stored, holds=holds)


def _touched(
    adapter: Adapter, arrived: Collection[Partition], holds: Mapping[Partition, Delivery]
) -> dict[AccountMonth, str]:
    found: dict[AccountMonth, str] = {}
    for p in sorted(arrived, key=lambda p: (p.source, p)):
        if p.source not in (adapter.name, *adapter.companions):
            continue
        months = [p.month]
        if p.month == TIMELESS:
            # An export without months, such as a price list, is one of every month there is.
            ours = (COMPANIONS, adapter.name, p.billing_account)
            months = [h.month for h in holds if (h.dataset, h.source, h.billing_account) == ours] or months
        for month in months:
            found.setdefault(AccountMonth(p.billing_account, month), p.source)
    return found


def _stored(name: str, where: AccountMonth, holds: Mapping[Partition, Delivery]) -> Partition:
    """Where an export of an account's month is stored: under that month, or under none where it has none."""
    of_month, timeless = (
        Partition(dataset=COMPANIONS, source=name, billing_account=str(where.account), month=month)
        for month in (str(where.month), TIMELESS)
    )
    return timeless if timeless in holds else of_month
