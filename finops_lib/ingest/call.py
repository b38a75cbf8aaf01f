"""What one call of `ingest` carries along, and what it says in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..lake import Closures, Delivery, Home, Unit
from . import checking
from .adapters import Adapter
from .checking import EXACT, Where, plain
from .files import Delivered
from .manifests import Manifest
from .rejecting import Rejected

PARTS = "_parts"
"""Folder of the lake for exports that are kept as delivered, because two of them make one set of charges."""


Progress = Callable[[str], None]


Costs = dict[str, dict[Where, dict[str, Decimal] | None]]
"""What was delivered of each cost column, by unit and currency; None where some rows do not state it."""


Counted = tuple[dict[Where, dict[str, int]], Costs]
"""What was delivered: source rows by unit and file, and costs."""


NONE_REJECTED = Rejected(rows=0, billed={}, unreadable=0)


NOTHING = checking.Total(rows=0, added=0, costs={})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one unit, or of a file that never became one."""

    status: str
    """published, unchanged, would publish (dry run), held (waits for its other part), superseded (a newer delivery is
    there), empty, refused, or a note."""
    source: str | None
    message: str
    unit: Unit | None = None
    delivery: Delivery | None = None
    staged: Path | None = None
    """Parquet file that was checked, while the call lasts."""


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
            if o.delivery is None or o.unit is None or o.delivery.replaced or o.delivery.corrects:
                said[i] = f"{o.status}: {o.message}"
                continue
            account = o.unit.billing_account if o.delivery.billed_total else ""
            key = (o.status, o.unit.dataset, o.unit.source, account, *o.delivery.notes)
            groups[key].append(o.delivery)
            said[key] = f"{o.status}: {o.message}" if len(groups[key]) == 1 else _said_of_months(o.status, groups[key])
        return list(said.values())


@dataclass(frozen=True, kw_only=True)
class Call:
    """What stays the same during one call of `ingest`."""

    home: Home
    workdir: Path
    account: str | None
    dates: str | None
    dry_run: bool
    progress: Progress
    began: str
    closures: Closures
    """The closed months when the call began: a plan that comes with charges closes no month to them."""
    kept: set[tuple[str, Where]]
    """Parts that came with this call: adapter, billing account and month."""
    damaged: list[str]
    """Files of this call that could not be opened at all, or whose dates nobody can tell."""
    accept_rejects: bool
    rejects: list[Path]
    """Where rejected rows of this call were written."""
    outcomes: list[Outcome]
    """What became of each unit and file so far."""
    published: list[Outcome]
    """What entered the lake, as soon as it did."""
    taken: dict[Unit, str]
    """Units of this call that a batch of files gave, and the first of its files."""


class Interrupted(KeyboardInterrupt):
    """The call was stopped from the keyboard: what it had published stays.

    done: what it did until then; left: what it had not come to, in words.
    """

    def __init__(self, done: Ingested, left: list[str]) -> None:
        super().__init__()
        self.done = done
        self.left = left


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Files of one source that are read together: those of a month, where manifests say which it is."""

    key: str
    adapter: Adapter
    period: str
    files: list[Delivered]

    def __str__(self) -> str:
        of = f" of {self.period}" if self.period else ""
        return f"{self.adapter.name}{of}: {named([f.name for f in self.files])}"


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What was adapted and is to be settled: the view `staged`, and what is known of it."""

    file: Path
    delivery_id: str
    entries: dict[str, list[dict[str, Any]]]
    """Ledger entries by file name."""
    counted: Counted
    offences: dict[Where, list[str]]
    rejected: dict[Where, Rejected]
    reasons: dict[str, list[str]]
    """Why files, by name, keep the units they are of out of the lake."""
    notes: dict[str, str] = field(default_factory=dict)
    """What the ledger says of a file's units, by the file's name."""
    of_all: Sequence[str] = ()
    """What it says of every unit."""
    manifests: dict[str, Manifest] = field(default_factory=dict)
    """The manifest that names a file, by the file's name."""


def refusals(adapter: Adapter, reasons: dict[str, list[str]]) -> list[Outcome]:
    return [Outcome(status="refused", source=adapter.name, message=m) for found in reasons.values() for m in found]


def in_rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _said_of_months(status: str, deliveries: Sequence[Delivery]) -> str:
    first = deliveries[0]
    months = sorted({d.month for d in deliveries})
    account = f", account {first.billing_account}" if first.billed_total else ""
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for d in deliveries:
        for c, amount in d.billed_total.items():
            billed[c] = EXACT.add(billed[c], Decimal(amount))
    money = ", ".join(f"{c} {plain(a)}" for c, a in sorted(billed.items()))
    said = (
        f"{status}: {first.dataset} from {first.source}{account}, {len(months)} months {months[0]} to {months[-1]}: "
        f"{sum(d.rows_published for d in deliveries)} rows" + (f", billed {money}" if money else "")
    )
    return f"{said}; each: {'; '.join(first.notes)}" if first.notes else said


def by_name(files: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Ledger entries by file name: two exports may well call a file the same."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in files:
        found[file["name"]].append(file)
    return found


def named(files: Sequence[str]) -> str:
    """File names for a message: the first few, and how many more."""
    return ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
