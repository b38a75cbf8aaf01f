"""Where things are, and how a month enters the lake: whole, at once, and remembered.

A partition is what one delivery replaces: one source's billing account and billing month in one dataset, one Parquet
file. Publishing renames a finished file over the old one, so a reader sees the month before or after, never between.
The ledger is one small JSON file per publication, written first as pending and renamed after the data: whatever
instant the process dies at, readers and `recover` can tell what happened. Beside it a small Parquet file keeps what the
partition then held by service, sub-account and charge kind, because the data itself is replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from .errors import DamagedError, LockedError, RefusedError, no_room

FOREVER = -1.0
"""How long `locked` waits unless it is told otherwise."""

HOLDER = ".finops.holder"
"""Who holds the lock of a home, while it is held."""

KINDS: dict[str, type] = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}
"""What the ledger's fields are in JSON, by how `Delivery` spells them."""

MADE_BY = {"forecast": "finops forecast", "forecast_accuracy": "finops forecast"}
"""Datasets of which nobody keeps the originals, and the command that delivers them."""

SET_ASIDE = ".damaged"
"""Ending of files of the ledger that no entry can be read from."""

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
        self.spark = self.root / "spark"
        """Catalogue and tables of a Spark session of our own."""

    @property
    def ledger(self) -> Path:
        return self.lake / "_ledger"

    @property
    def staging(self) -> Path:
        return self.lake / "_staging"

    @property
    def rejected(self) -> Path:
        """Rows that could not be taken, one file per partition."""
        return self.lake / "_rejected"

    @property
    def held(self) -> Path:
        """Why deliveries wait for somebody to accept them, one file per partition."""
        return self.lake / "_held"

    def __repr__(self) -> str:
        return f"Home({str(self.root)!r})"


@dataclass(frozen=True, order=True, kw_only=True)
class Partition:
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
        harmless = re.sub(r"[^A-Za-z0-9.-]+", "-", self.billing_account).strip("-.")[:60]
        unique = hashlib.sha256(self.billing_account.encode()).hexdigest()[:8]
        stem = f"{harmless}-{unique}" if harmless != self.billing_account else harmless
        name = f"{stem}_corrects-{self.corrects}.parquet" if self.corrects else f"{stem}.parquet"
        return Path(self.dataset) / f"source={self.source}" / f"billing_month={self.month}" / name

    def __str__(self) -> str:
        account = f", account {self.billing_account}" if self.billing_account != TIMELESS else ""
        month = f", {self.month}" if self.month != TIMELESS else ""
        corrects = f", corrections of {self.corrects}" if self.corrects else ""
        return f"{self.dataset} from {self.source}{account}{month}{corrects}"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One entry of the ledger: how one partition came to hold what it holds. Amounts are exact decimal texts."""

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
    """Billed amount of the rejected rows, as far as it can be read: what the partition lacks of the bill."""
    rejected_unreadable: int = 0
    """Rejected rows whose amount cannot be read."""
    corrects: str = ""
    """The closed month whose late delivery this is; its differences stand in `month`."""
    whole: bool = True
    """Whether nothing of its files was refused; otherwise the same files are read again when they come again."""
    effective_by_day: dict[str, str] = field(default_factory=dict)
    """What each day cost then, by day and currency (`2026-10-24 USD`), without one-time, corrected and longer charges:
    how much a source's last days grow afterwards is learnt from it."""
    withdrawn: bool = False
    """Whether the partition was taken out of the lake; then it holds nothing, and `files` are those that went."""
    parquet_sha256: str = ""
    """sha256 of the Parquet file as it was published; empty for deliveries of before it was kept."""

    @property
    def id(self) -> str:
        """What names this entry of the ledger: a delivery of several months has one for each."""
        return hashlib.sha256(f"{self.delivered_at} {self.delivery_id} {self.partition}".encode()).hexdigest()[:12]

    @property
    def partition(self) -> Partition:
        return Partition(
            dataset=self.dataset,
            source=self.source,
            billing_account=self.billing_account,
            month=self.month,
            corrects=self.corrects,
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is to become of a partition, or of files that are of none."""

    decision: str
    """publish, replace, correct: the delivery enters the lake. unchanged, superseded, empty, held, refuse: nothing
    does."""
    source: str | None
    messages: tuple[str, ...] = ()
    """What is to be said of it; nothing where its files are told of by themselves."""
    partition: Partition | None = None
    delivery: Delivery | None = None
    """The ledger entry that it makes, or that stands."""
    rejects: Path | None = None
    """Where the rows lie that it was rejected for, once that is so."""

    @property
    def enters(self) -> bool:
        return self.decision in ("publish", "replace", "correct")

    @property
    def arrived(self) -> Partition | None:
        """The partition that it was delivered for: of corrections the closed month."""
        here = self.partition
        return replace(here, month=here.corrects, corrects="") if here and here.corrects else here


@dataclass(frozen=True, kw_only=True)
class Content:
    """Finished files, on the lake's own file system, that a verdict puts in their place."""

    data: Path | None = None
    """Its footer holds the delivery's id."""
    breakdown: Path | None = None
    rejects: Path | None = None


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
    """The plan's closed months as the lake holds them, without those that close after `on` (today, UTC).

    Refuses  DamagedError where their file cannot be read: without it nobody can tell what is closed.
    """
    day = on or datetime.now(UTC).date()
    rows = _planned(home, "closed_month", "which months are closed", _CLOSED_MONTH)
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


def limit(home: Home, measure: str) -> Decimal | None:
    """The limit that the organisation's plan sets for a measure, as the lake holds it; None where it sets none.

    Refuses  DamagedError where the plan's file cannot be read.
    """
    rows = _planned(home, "threshold", "the plan's limits", ("measure", "grade", "value"))
    return next((Decimal(str(r["value"])) for r in rows if (r["measure"], r["grade"]) == (measure, "limit")), None)


_CLOSED_MONTH = (
    "month", "source_name", "billing_account_id", "closed_on", "late_delivery", "x_source_file", "x_source_row",
)  # fmt: skip


def _planned(home: Home, dataset: str, what: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a file of the plan as the lake holds it; none where there is none."""
    plan = Partition(dataset=dataset, source="plan", billing_account=TIMELESS, month=TIMELESS)
    file, held = home.lake / plan.file, holding(home, plan)
    if held is None and not file.exists():
        return []
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as opened:
            rows: list[dict[str, Any]] = pq.ParquetFile(opened).read(list(columns)).to_pylist()
        if rows and rows[0].keys() != set(columns):
            raise KeyError
    except (OSError, ValueError, KeyError, pa.ArrowException):
        names = ", ".join(f["name"] for f in held.files) if held else f"{dataset}.csv"
        raise DamagedError(
            f"{file} is damaged or missing, and with it {what}. Deliver {names} of the plan again with `finops ingest`."
        ) from None
    return rows


def held(home: Home) -> list[str]:
    """What waits for somebody to accept it, in a sentence each."""
    return [json.loads(f.read_text(encoding="utf-8"))["held"] for f in sorted(home.held.glob("*.json"))]


def deliveries(home: Home) -> list[Delivery]:
    """The ledger, oldest first: every publication that ever was, replaced and withdrawn ones included."""
    return sorted(_entries(home, "*"), key=lambda d: (d.delivered_at, d.partition))


def current(home: Home) -> dict[Partition, Delivery]:
    """The delivery each partition now holds."""
    return standing_in(deliveries(home))


def standing_in(ledger: Iterable[Delivery]) -> dict[Partition, Delivery]:
    """The delivery that each partition holds at the end of a ledger, oldest first."""
    return {partition: d for partition, d in {d.partition: d for d in ledger}.items() if not d.withdrawn}


def holding(home: Home, partition: Partition) -> Delivery | None:
    """The delivery one partition now holds, without reading the ledger of the others."""
    last = _last(home, partition)
    return None if last is None or last.withdrawn else last


def breakdown(home: Home, delivery: Delivery) -> Path | None:
    """What a partition held after a delivery, by service, sub-account and charge kind, where that was kept."""
    file = home.ledger / f"{_name(delivery)}.parquet"
    return file if file.exists() else None


def _last(home: Home, partition: Partition) -> Delivery | None:
    return max(_entries(home, f"*-{_mark(partition)}"), key=lambda d: d.delivered_at, default=None)


def _entries(home: Home, pattern: str) -> Iterator[Delivery]:
    """Ledger entries, and those that a publication interrupted at its last step has left pending."""
    for file in home.ledger.glob(f"{pattern}.pending"):
        # It may be finished by its own process between the listing and the reading; then the listing below has it.
        with suppress(OSError, ValueError, TypeError):
            delivery = _read(file)
            if _stands(home, delivery) and not file.with_suffix(".json").exists():
                yield delivery
    for file in home.ledger.glob(f"{pattern}.json"):
        with suppress(ValueError, TypeError):
            yield _read(file)


def unreadable(home: Home) -> list[Path]:
    """Files of the ledger that are none of its entries: truncated, or somebody else's."""
    return sorted([*home.ledger.glob(f"*{SET_ASIDE}"), *(f for f in home.ledger.glob("*.json") if _is_damaged(f))])


def unreadable_said(home: Home) -> list[str]:
    """A sentence for each of `unreadable`."""
    return [
        f"{file}: no entry of the ledger can be read from it. The lake stays as it is; deliver the original of what it "
        "told of again, then delete it. `finops verify` says which files of the lake the ledger does not know."
        for file in unreadable(home)
    ]


def _is_damaged(entry: Path) -> bool:
    try:
        _read(entry)
    except (ValueError, TypeError):
        return True
    return False


def _read(file: Path) -> Delivery:
    said = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(said, dict):
        raise TypeError(file)
    known = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(Delivery)}
    more = said.keys() - known.keys()
    if more and all(name in said for name, needed in known.items() if needed):
        # Whatever it means, to leave it out may count money twice.
        raise DamagedError(
            f"{file} was written by a newer finops: found {', '.join(sorted(more))}, which this version does not know. "
            "Use the version that wrote it, or a later one."
        )
    delivery = Delivery(**said)
    for f in fields(delivery):
        kind = KINDS.get(str(f.type).split("[")[0], object)
        if not isinstance(getattr(delivery, f.name), kind):
            raise TypeError(f.name)
    datetime.fromisoformat(delivery.delivered_at)
    try:
        for totals in (
            delivery.billed_total,
            delivery.effective_total,
            delivery.billed_change,
            delivery.rejected_total,
        ):
            for amount in totals.values():
                Decimal(amount)
    except InvalidOperation:
        raise ValueError(file) from None
    if not all(isinstance(f, dict) and {"name", "sha256"} <= f.keys() for f in delivery.files):
        raise ValueError(file)
    return delivery


def damage(home: Home, delivery: Delivery, *, thoroughly: bool = False) -> str | None:
    """Why the lake does not hold what a delivery left there, in words that follow the name of its file.

    Reads    the footer of the file; `thoroughly` all of it, where the ledger knows what its bytes were.
    """
    file = home.lake / delivery.partition.file
    if not file.exists():
        return "is missing"
    if footer(file) is None:
        return "cannot be read as Parquet"
    if footer_id(file) != delivery.delivery_id:
        return "is of another delivery than the ledger says"
    if thoroughly and delivery.parquet_sha256 not in ("", _sha256(file)):
        return "is not what was published: its bytes are others"
    return None


def healing(delivery: Delivery) -> str:
    """What brings back what a delivery left in the lake."""
    if command := MADE_BY.get(delivery.dataset):
        return f"Make it anew with `{command}`"
    named = [f"{f['name']} (sha256 {f['sha256'][:12]})" for f in delivery.files]
    more = f" and {len(named) - 5} more files that `finops deliveries` names" if len(named) > 5 else ""
    return f"Deliver {', '.join(named[:5])}{more} again with `finops ingest`"


def _stands(home: Home, delivery: Delivery) -> bool:
    """Whether the lake's data are as a delivery left them."""
    target = home.lake / delivery.partition.file
    if delivery.withdrawn:
        return not target.exists()
    return target.exists() and footer_id(target) == delivery.delivery_id


@contextmanager
def locked(home: Home, *, doing: str = "a script", wait: float = FOREVER) -> Iterator[None]:
    """Hold the home's one lock, which is for whatever writes there. Who holds it may take it again; readers need none.

    Reads    doing: what others are told while they wait; wait: seconds until they are refused.
    Refuses  LockedError, which says who holds it; RefusedError for a home that cannot be written.
    """
    with writing(home):
        home.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home.root / ".finops.lock", is_singleton=True)
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            raise LockedError(
                f"{home.root} is being written by {_holder(home)}. Try again when it has ended, or wait for it with "
                "`finops --wait SECONDS`."
            ) from None
    try:
        if lock.lock_counter == 1:
            with writing(home):
                _hold(home, doing)
            recover(home)
        yield
    finally:
        if lock.lock_counter == 1:
            (home.root / HOLDER).unlink(missing_ok=True)
        lock.release()


def _hold(home: Home, doing: str) -> None:
    # Beside the lock, which whoever tries to take it empties.
    said = {"doing": doing, "pid": os.getpid(), "host": socket.gethostname(), "since": f"{datetime.now(UTC):%F %T} UTC"}
    written = home.root / f"{HOLDER}.new"
    written.write_text(json.dumps(said), encoding="utf-8")
    os.replace(written, home.root / HOLDER)


def _holder(home: Home) -> str:
    try:
        said = json.loads((home.root / HOLDER).read_text(encoding="utf-8"))
        return f"{said['doing']} (process {said['pid']} on {said['host']}, since {said['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


@contextmanager
def writing(home: Home) -> Iterator[None]:
    """Turn a disk that is full or not to be written into one message.

    Refuses  RefusedError; what was being written is not in the lake, and what stood there stays.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
    except duckdb.Error as error:
        said = no_room(error)
        if said is None:
            raise
        reason = said
    else:
        return
    raise RefusedError(
        f"{home.lake} cannot be written ({reason}): what was being written did not enter the lake, and what stood "
        "there stays. Make room, or let it be written, and run the same command again."
    ) from None


def commit(home: Home, verdicts: Iterable[Verdict], content: Callable[[Verdict], Content]) -> Iterator[Verdict]:
    """Apply verdicts one after the other, each partition whole and at once; call under `locked`.

    Reads    content: makes the files of a verdict when its turn comes.
    Returns  each verdict as it turned out: its delivery as it is remembered, or refused where the disk has no room.
    """
    for verdict in verdicts:
        try:
            with writing(home):
                applied = _applied(home, verdict, content(verdict))
        except RefusedError as error:
            said = () if verdict.enters else verdict.messages
            applied = replace(verdict, decision="refuse", messages=(*said, f"{verdict.partition}: {error}"))
        yield applied


def _applied(home: Home, verdict: Verdict, content: Content) -> Verdict:
    if content.rejects and verdict.arrived:
        aside = home.rejected / verdict.arrived.file
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.replace(content.rejects, aside)
        verdict = replace(verdict, rejects=aside)
    if verdict.decision == "held" and verdict.delivery:
        _make(home.held)
        waiting = json.dumps({"held": verdict.messages[0], **asdict(verdict.delivery)}, indent=1)
        (home.held / f"{_mark(verdict.delivery.partition)}.json").write_text(waiting, encoding="utf-8")
    if not verdict.enters:
        return verdict
    assert verdict.delivery is not None
    assert verdict.arrived is not None
    assert content.data is not None
    delivery = publish(home, verdict.delivery, content.data, breakdown=content.breakdown)
    (home.held / f"{_mark(delivery.partition)}.json").unlink(missing_ok=True)
    if not delivery.rows_rejected:
        (home.rejected / verdict.arrived.file).unlink(missing_ok=True)
    return replace(verdict, delivery=delivery)


def publish(home: Home, delivery: Delivery, staged: Path, *, breakdown: Path | None = None) -> Delivery:
    """Put a staged Parquet file in its partition's place and remember it; call under `locked`.

    Reads    staged: a file on the lake's own file system whose footer holds the delivery's id.
    Returns  the delivery as it is remembered: never as old as what it replaces, whatever the clock said.
    """
    delivery = _after(delivery, _last(home, delivery.partition))
    if delivery.dataset == "cost_and_usage":
        delivery = replace(delivery, effective_by_day=_by_day(staged))
    target = home.lake / delivery.partition.file
    _make(target.parent)
    _sync(staged)
    delivery = replace(delivery, parquet_sha256=_sha256(staged))
    with _remembered(home, delivery) as name:
        if breakdown is not None:
            _sync(breakdown)
            os.replace(breakdown, home.ledger / f"{name}.parquet")
        os.replace(staged, target)
        _sync(target.parent)
    return delivery


def _by_day(charges: Path) -> dict[str, str]:
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        found = db.execute(
            "select strftime(ChargePeriodStart, '%Y-%m-%d'), BillingCurrency, sum(EffectiveCost) from read_parquet($1) "
            "where ChargePeriodEnd <= ChargePeriodStart + interval 1 day and ChargeFrequency <> 'One-Time' "
            "and coalesce(ChargeClass, '') <> 'Correction' group by all order by all",
            [str(charges)],
        ).fetchall()
    return {f"{day} {currency}": f"{cost:f}" for day, currency, cost in found if cost is not None}


def withdraw(home: Home, partition: Partition) -> Delivery:
    """Take a partition out of the lake and remember it; call under `locked`.

    Refuses  RefusedError where the lake holds no such partition.
    """
    before = holding(home, partition)
    if before is None:
        raise RefusedError(f"{partition}: the lake holds nothing of it. `finops deliveries` lists what came in.")
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    gone = replace(
        before, delivery_id=hashlib.sha256(f"{now} {partition}".encode()).hexdigest()[:16], delivered_at=now,
        replaced=before.delivery_id, rows_read=0, rows_published=0, rows_rejected=0, rows_merged=0, rows_added=0,
        billed_total={}, effective_total={}, rejected_total={}, rejected_unreadable=0, notes=[], whole=True,
        withdrawn=True, effective_by_day={}, parquet_sha256="",
        billed_change={c: f"{Decimal(a).copy_negate():f}" for c, a in before.billed_total.items() if Decimal(a)},
    )  # fmt: skip
    gone = _after(gone, before)
    target = home.lake / partition.file
    with _remembered(home, gone):
        if target.exists():
            target.unlink()
            _sync(target.parent)
    (home.rejected / partition.file).unlink(missing_ok=True)
    return gone


def _after(delivery: Delivery, last: Delivery | None) -> Delivery:
    if last is None or delivery.delivered_at > last.delivered_at:
        return delivery
    later = datetime.fromisoformat(last.delivered_at) + timedelta(microseconds=1)
    return replace(delivery, delivered_at=later.isoformat(timespec="microseconds"))


@contextmanager
def _remembered(home: Home, delivery: Delivery) -> Iterator[str]:
    """Write the ledger's entry around the one step that changes the data."""
    _make(home.ledger)
    name = _name(delivery)
    pending = home.ledger / f"{name}.pending"
    try:
        pending.write_text(json.dumps(asdict(delivery), indent=1), encoding="utf-8")
        _sync(pending)
        _sync(home.ledger)
        yield name
    except OSError:
        recover(home)
        raise
    os.replace(pending, home.ledger / f"{name}.json")
    _sync(home.ledger)


def recover(home: Home) -> None:
    """Finish or forget a publication that was interrupted: the data file's footer says which.

    Files of the ledger that are none of its entries are set aside, so that whoever reads the folder may read all of it.
    """
    for pending in home.ledger.glob("*.pending"):
        try:
            stands = _stands(home, _read(pending))
        except (ValueError, TypeError):
            stands = False
        if stands:
            os.replace(pending, pending.with_suffix(".json"))
        else:
            pending.with_suffix(".parquet").unlink(missing_ok=True)
            pending.unlink()
    for file in home.ledger.glob("*.json"):
        if _is_damaged(file):
            os.replace(file, file.with_suffix(SET_ASIDE))
    remembered = {file.stem for ending in (".json", SET_ASIDE) for file in home.ledger.glob(f"*{ending}")}
    for orphan in home.ledger.glob("*.parquet"):
        if orphan.stem not in remembered:
            orphan.unlink()


def damaged_files(home: Home) -> list[str]:
    """A sentence for each Parquet file that cannot be read at all: of what a build reads, and what heals it."""
    known = {home.lake / partition.file: d for partition, d in current(home).items()}
    return [
        f"{file} cannot be read as Parquet. {healing(known[file])}." if file in known
        else f"{file} cannot be read as Parquet, and the ledger does not know it. Delete it."
        for file in sorted(home.lake.glob("*/source=*/billing_month=*/*.parquet"))
        if footer(file) is None
    ]  # fmt: skip


def forgotten(home: Home) -> set[str]:
    """Ids of the deliveries that wrote Parquet files of the lake which the ledger does not know."""
    known = {home.lake / partition.file for partition in current(home)}
    files = home.lake.glob("*/source=*/billing_month=*/*.parquet")
    return {found for file in files if file not in known and (found := footer_id(file))}


def footer_id(file: Path) -> str | None:
    """The id of the delivery that wrote a Parquet file of the lake."""
    return (footer(file) or {}).get(b"finops_delivery", b"").decode(errors="replace") or None


def footer(file: Path) -> dict[bytes, bytes] | None:
    """What the footer of a Parquet file says of it; none where it is damaged or no Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as opened:
            return pq.read_metadata(opened).metadata or {}
    except PermissionError:
        raise
    except (OSError, ValueError, pa.ArrowException):
        return None


@contextmanager
def staging(home: Home) -> Iterator[Path]:
    """A folder for files on their way into the lake, removed afterwards; what a dead process left goes first.

    Its owner holds a lock beside it while it lives, so that neither a process id given again nor another machine on the
    same disk takes one for the other.
    """
    while True:
        try:
            with writing(home):
                _make(home.staging)
                handle, name = tempfile.mkstemp(prefix=f".{os.getpid()}-", suffix=".lock", dir=home.staging)
                os.close(handle)
                lock = FileLock(name)
                lock.acquire()
        except FileNotFoundError:
            continue
        own = Path(name)
        # Who clears away what the dead left may have taken the file for theirs before it was locked.
        if own.exists():
            break
        lock.release()
    folder = _of(own)
    try:
        _clear(home, keep=own)
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        own.unlink(missing_ok=True)
        # Another ingestion may be using it.
        with suppress(OSError):
            home.staging.rmdir()


def _clear(home: Home, *, keep: Path) -> None:
    for left in home.staging.glob(".*.lock"):
        if left == keep:
            continue
        with suppress(OSError, Timeout), FileLock(left, timeout=0):
            shutil.rmtree(_of(left), ignore_errors=True)
            left.unlink()
    for folder in home.staging.iterdir():
        if folder.is_dir() and not (home.staging / f".{folder.name}.lock").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _of(lock: Path) -> Path:
    """The folder that a lock is beside of."""
    return lock.with_name(lock.name.removeprefix(".").removesuffix(".lock"))


def _name(delivery: Delivery) -> str:
    return f"{re.sub('[^0-9]', '', delivery.delivered_at)[:20]}-{delivery.delivery_id}-{_mark(delivery.partition)}"


def _mark(partition: Partition) -> str:
    return hashlib.sha256(str(partition).encode()).hexdigest()[:12]


def _make(folder: Path) -> None:
    """Make a folder that is still there after the power fails."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync(made.parent)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
