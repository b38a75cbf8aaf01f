"""What one call of `ingest` did, and what it says in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from ..lake import Delivery, Partition, Verdict
from ..money import EXACT, listed

STATUSES = {"publish": "published", "replace": "published", "correct": "published", "refuse": "refused"}
"""What a decision is called once it is done; every other is called what it was."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one partition, or of a file that never became one."""

    status: str
    """published, unchanged, would publish (dry run), held (waits for a companion export), superseded (a newer delivery
    is there), empty, refused, or a note."""
    source: str | None
    message: str
    partition: Partition | None = None
    delivery: Delivery | None = None

    @staticmethod
    def of(verdict: Verdict, *, dry_run: bool) -> Iterator[Outcome]:
        """What there is to say of a verdict once it is applied, or in a dry run of what it would do."""
        done = STATUSES.get(verdict.decision, verdict.decision)
        for message in verdict.messages:
            yield Outcome(
                status="would publish" if dry_run and verdict.enters else done,
                source=verdict.source,
                message=message,
                partition=verdict.partition,
                delivery=verdict.delivery,
            )


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """What one call of `ingest` did."""

    outcomes: list[Outcome]
    data_docs: Path | None = None
    rejects: list[Path] = field(default_factory=list)
    """Parquet files of rejected rows, each with its reason."""

    @property
    def refused(self) -> list[Outcome]:
        return [o for o in self.outcomes if o.status == "refused"]

    def lines(self) -> list[str]:
        """What was done, in a line for each source and dataset of several months, and one for everything else."""
        groups: dict[tuple[str, ...], list[Delivery]] = defaultdict(list)
        said: dict[tuple[str, ...] | int, str] = {}
        for i, o in enumerate(self.outcomes):
            if o.status in ("refused", "unchanged"):
                continue
            if o.delivery is None or o.partition is None or o.delivery.replaced or o.delivery.corrects:
                said[i] = f"{o.status}: {o.message}"
                continue
            account = o.partition.billing_account if o.delivery.billed_total else ""
            key = (o.status, o.partition.dataset, o.partition.source, account, *o.delivery.notes)
            groups[key].append(o.delivery)
            said[key] = f"{o.status}: {o.message}" if len(groups[key]) == 1 else _said_of_months(o.status, groups[key])
        return list(said.values())


class Interrupted(KeyboardInterrupt):
    """The call was stopped from the keyboard: what it had published stays.

    done: what it did until then; left: what it had not come to, in words.
    """

    def __init__(self, done: Ingested, left: list[str]) -> None:
        super().__init__()
        self.done = done
        self.left = left


def _said_of_months(status: str, deliveries: Sequence[Delivery]) -> str:
    first = deliveries[0]
    months = sorted({d.month for d in deliveries})
    account = f", account {first.billing_account}" if first.billed_total else ""
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for d in deliveries:
        for c, amount in d.billed_total.items():
            billed[c] = EXACT.add(billed[c], Decimal(amount))
    money = listed(billed)
    said = (
        f"{status}: {first.dataset} from {first.source}{account}, {len(months)} months {months[0]} to {months[-1]}: "
        f"{sum(d.rows_published for d in deliveries)} rows" + (f", billed {money}" if money else "")
    )
    return f"{said}; each: {'; '.join(first.notes)}" if first.notes else said
