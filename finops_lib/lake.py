"""Where things are, and how a month enters the lake: whole, at once, and remembered.

A unit is what one delivery replaces: one source's billing account and billing month in one dataset, one Parquet
file. Publishing renames a finished file over the old one, so a reader sees the month before or after, never between.
The ledger is one small JSON file per publication, written first as pending and renamed after the data: whatever
instant the process dies at, `recover` can tell what happened.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

TIMELESS = "all"
"""Month and account of the datasets that a delivery replaces whole, such as the plan."""


class Home:
    """A user's own data: `plan/`, `inbox/`, `lake/`, `warehouse.duckdb` and `reports/` below one folder."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.plan = self.root / "plan"
        self.inbox = self.root / "inbox"
        self.lake = self.root / "lake"
        self.warehouse = self.root / "warehouse.duckdb"
        self.reports = self.root / "reports"

    @property
    def ledger(self) -> Path:
        return self.lake / "_ledger"

    @property
    def staging(self) -> Path:
        return self.lake / "_staging"

    def __repr__(self) -> str:
        return f"Home({str(self.root)!r})"


@dataclass(frozen=True, order=True, kw_only=True)
class Unit:
    """What one delivery replaces."""

    dataset: str
    source: str
    billing_account: str
    month: str
    corrects: str = ""
    """The closed month that its charges correct in this one; empty for a month's own charges."""

    @property
    def file(self) -> Path:
        """Path of its Parquet file below the lake. The account is data, so its name is made harmless and unique."""
        plain = re.sub(r"[^A-Za-z0-9.-]+", "-", self.billing_account).strip("-.")[:60]
        unique = hashlib.sha256(self.billing_account.encode()).hexdigest()[:8]
        stem = f"{plain}-{unique}" if plain != self.billing_account else plain
        name = f"{stem}_corrects-{self.corrects}.parquet" if self.corrects else f"{stem}.parquet"
        return Path(self.dataset) / f"source={self.source}" / f"billing_month={self.month}" / name

    def __str__(self) -> str:
        account = f", account {self.billing_account}" if self.billing_account != TIMELESS else ""
        month = f", {self.month}" if self.month != TIMELESS else ""
        corrects = f", corrections of {self.corrects}" if self.corrects else ""
        return f"{self.dataset} from {self.source}{account}{month}{corrects}"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One line of the ledger: how one unit came to hold what it holds. Amounts are exact decimal texts."""

    delivery_id: str
    dataset: str
    source: str
    billing_account: str
    month: str
    files: list[dict[str, Any]]
    """name, sha256 and bytes of each file, as delivered."""
    adapter_sha256: str
    rows_read: int
    rows_published: int
    rows_rejected: int
    rows_merged: int
    """Source rows that have no charge of their own: their money stands in another row."""
    rows_added: int
    """Charges beyond one per source row: read + added = published + rejected + merged."""
    billed_total: dict[str, str]
    effective_total: dict[str, str]
    delivered_at: str
    replaced: str | None = None
    """delivery_id of what stood there before."""
    billed_change: dict[str, str] = field(default_factory=dict)
    """billed_total now minus before, per currency; empty for a first delivery."""
    notes: list[str] = field(default_factory=list)
    rejected_total: dict[str, str] = field(default_factory=dict)
    """Billed amount of the rejected rows, as far as it can be read: what the unit lacks of the bill."""
    rejected_unreadable: int = 0
    """Rejected rows whose amount cannot be read."""
    corrects: str = ""
    """The closed month whose late delivery this is; its differences stand in `month`."""

    @property
    def unit(self) -> Unit:
        return Unit(
            dataset=self.dataset,
            source=self.source,
            billing_account=self.billing_account,
            month=self.month,
            corrects=self.corrects,
        )


@dataclass(frozen=True, kw_only=True)
class Closure:
    """One row of the plan's closed months."""

    month: str
    source: str | None
    billing_account: str | None
    closed_on: date
    late_delivery: str
    """correction or refuse."""
    file: str
    row: int


@dataclass(frozen=True)
class Closures:
    """The closed months in force."""

    rows: tuple[Closure, ...] = ()

    def of(self, source: str, billing_account: str, month: str) -> Closure | None:
        """What closes a month of a source's account: the row that names them most closely."""
        found = [
            c
            for c in self.rows
            if c.month == month and c.source in (None, source) and c.billing_account in (None, billing_account)
        ]
        return max(found, key=lambda c: (c.billing_account is not None, c.source is not None), default=None)


def closures(home: Home, *, on: date | None = None) -> Closures:
    """The plan's closed months as the lake holds them, without those that close after `on` (today, UTC)."""
    plan = Unit(dataset="closed_month", source="plan", billing_account=TIMELESS, month=TIMELESS)
    if not (home.lake / plan.file).exists():
        return Closures()
    day = on or datetime.now(UTC).date()
    rows = pq.ParquetFile(home.lake / plan.file).read().to_pylist()
    return Closures(
        tuple(
            Closure(
                month=r["month"],
                source=r["source_name"],
                billing_account=r["billing_account_id"],
                closed_on=r["closed_on"],
                late_delivery=r["late_delivery"],
                file=r["x_source_file"],
                row=r["x_source_row"],
            )
            for r in rows
            if r["closed_on"] <= day
        )
    )


def deliveries(home: Home) -> list[Delivery]:
    """The ledger, oldest first: every publication that ever was, replaced ones included."""
    found = [Delivery(**json.loads(f.read_text(encoding="utf-8"))) for f in home.ledger.glob("*.json")]
    return sorted(found, key=lambda d: (d.delivered_at, d.unit))


def current(home: Home) -> dict[Unit, Delivery]:
    """The delivery each unit now holds."""
    return {d.unit: d for d in deliveries(home)}


def holding(home: Home, unit: Unit) -> Delivery | None:
    """The delivery one unit now holds, without reading the ledger of the others."""
    entries = sorted(home.ledger.glob(f"*-{_mark(unit)}.json"))
    return Delivery(**json.loads(entries[-1].read_text(encoding="utf-8"))) if entries else None


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Hold the lake's write lock: two ingestions publish one after the other."""
    home.lake.mkdir(parents=True, exist_ok=True)
    with (home.lake / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        recover(home)
        yield


def publish(home: Home, delivery: Delivery, staged: Path) -> None:
    """Put a staged Parquet file in its unit's place and remember it; call under `locked`.

    Reads    staged: a file on the lake's own file system whose footer holds the delivery's id.
    """
    home.ledger.mkdir(parents=True, exist_ok=True)
    target = home.lake / delivery.unit.file
    target.parent.mkdir(parents=True, exist_ok=True)
    name = f"{re.sub('[^0-9]', '', delivery.delivered_at)[:20]}-{delivery.delivery_id}-{_mark(delivery.unit)}"
    pending = home.ledger / f"{name}.pending"
    pending.write_text(json.dumps(asdict(delivery), indent=1), encoding="utf-8")
    _sync(staged)
    _sync(pending)
    os.replace(staged, target)
    os.replace(pending, home.ledger / f"{name}.json")


def recover(home: Home) -> None:
    """Finish or forget a publication that was interrupted: the data file's footer says which."""
    for pending in home.ledger.glob("*.pending"):
        try:
            delivery = Delivery(**json.loads(pending.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            pending.unlink()
            continue
        target = home.lake / delivery.unit.file
        if target.exists() and footer_id(target) == delivery.delivery_id:
            os.replace(pending, pending.with_suffix(".json"))
        else:
            pending.unlink()


def footer_id(file: Path) -> str | None:
    """The id of the delivery that wrote a Parquet file of the lake."""
    metadata = pq.read_metadata(file).metadata or {}
    return metadata.get(b"finops_delivery", b"").decode() or None


@contextmanager
def staging(home: Home, *, keep: bool = False) -> Iterator[Path]:
    """A folder for files on their way into the lake, removed afterwards."""
    folder = home.staging / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
            if home.staging.exists() and not any(home.staging.iterdir()):
                home.staging.rmdir()


def _mark(unit: Unit) -> str:
    return hashlib.sha256(str(unit).encode()).hexdigest()[:12]


def _sync(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
