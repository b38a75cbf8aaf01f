"""The way of a delivery from its files into the lake."""

from __future__ import annotations

import hashlib
import re
import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import duckdb

from .. import lake
from ..contract import Contract, contract, literal, quoted
from ..errors import FinopsError, RefusedError, is_stop
from ..lake import TIMELESS, Closures, Delivery, Home, Unit
from . import checking, closing, mapping, overlaps, rejecting
from .adapters import Adapter, adapters, vocabulary
from .checking import EXACT, Where, plain
from .files import Delivered, collect, first_line, holds_no_record, sniff
from .manifests import Manifest
from .reading import converted, misfits, passed_over, raw_view, recognise, version, with_date_order
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
class _Call:
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
class _Batch:
    """Files of one source that are read together: those of a month, where manifests say which it is."""

    key: str
    adapter: Adapter
    period: str
    files: list[Delivered]

    def __str__(self) -> str:
        of = f" of {self.period}" if self.period else ""
        return f"{self.adapter.name}{of}: {_named([f.name for f in self.files])}"


@dataclass(frozen=True, kw_only=True)
class _Staged:
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


def ingest(
    home: Home,
    paths: Sequence[str | Path],
    *,
    source: str | None = None,
    account: str | None = None,
    dates: str | None = None,
    accept_rejects: bool = False,
    new_only: bool = False,
    dry_run: bool = False,
    data_docs: bool = True,
    progress: Progress = lambda _: None,
) -> Ingested:
    """Bring exports into the lake, month by month; whatever is refused leaves the lake as it was.

    Reads    files, folders, globs and archives as delivered; `account` names the billing account of exports that do
             not say it themselves, and `dates` (month-first, day-first) how those write dates that do not tell;
             with `accept_rejects`, rows that cannot be taken are left out and counted instead of keeping their month
             out; with `new_only`, files that the ledger knows are not read again.
    Returns  one outcome per unit or refused file, in the order of the work.
    Refuses  UsageError for paths or sources that do not exist; anything wrong inside a file is an outcome.
    """
    with lake.writing(home), lake.locked(home):
        pass  # what died while it published is finished or forgotten, also where nothing new comes in
    with lake.staging(home) as workdir:
        call = _Call(
            home=home,
            workdir=workdir,
            account=account,
            dates=dates,
            dry_run=dry_run,
            progress=progress,
            began=datetime.now(UTC).isoformat(timespec="microseconds"),
            closures=lake.closures(home),
            kept=set(),
            damaged=[],
            accept_rejects=accept_rejects,
            rejects=[],
            outcomes=[],
            published=[],
            taken={},
        )
        left = [str(path) for path in paths]
        try:
            batches = _recognised(call, paths, source, new_only=new_only)
            # Charges of two exports are made month by month where manifests tell the months of both.
            by_month = all(batch.period for batch in batches if batch.adapter.kept)
            left = [str(batch) for batch in batches]
            for i, batch in enumerate(batches):
                left = [str(b) for b in batches[i:]]
                _brought(call, batch)
                if i + 1 == len(batches) or (by_month and batches[i + 1].period > batch.period):
                    _complete(call)
            left = ["the pages of what was checked"]
            documented = _data_docs(call) if data_docs and not dry_run else None
        except (KeyboardInterrupt, RuntimeError) as stop:
            if not is_stop(stop):
                raise
            call.outcomes.extend([o for o in call.published if o not in call.outcomes])
            raise Interrupted(_ingested(call, None), left) from None
    return _ingested(call, documented)


def _ingested(call: _Call, documented: Path | None) -> Ingested:
    return Ingested(
        outcomes=[replace(o, staged=None) for o in call.outcomes], data_docs=documented, rejects=sorted(call.rejects)
    )


def _data_docs(call: _Call) -> Path | None:
    try:
        with lake.writing(call.home):
            return _documented(call, call.outcomes)
    except FinopsError as error:
        # The lake is whole already; pages about it that cannot be written refuse nothing.
        call.outcomes.append(Outcome(status="note", source=None, message=str(error)))
        return None


def _brought(call: _Call, batch: _Batch) -> None:
    try:
        call.outcomes.extend(_ingest_group(call, batch.adapter, batch.files))
    except RefusedError as error:
        call.outcomes.append(Outcome(status="refused", source=batch.adapter.name, message=str(error)))


def _recognised(call: _Call, paths: Sequence[str | Path], source: str | None, *, new_only: bool) -> list[_Batch]:
    """The files by source and month, months in their order; those that no manifest gives a month come first."""
    batches: dict[tuple[str, str], _Batch] = {}
    known: set[tuple[str, str]] = set()
    outcomes = call.outcomes
    for given in paths:
        try:
            collected = collect([given], workdir=call.workdir)
        except RefusedError as error:
            outcomes.append(Outcome(status="refused", source=source, message=str(error)))
            continue
        outcomes += [Outcome(status="superseded", source=source, message=m) for m in collected.superseded]
        outcomes += [Outcome(status="refused", source=source, message=m) for m in collected.incomplete]
        for file in _not_known(call.home, collected.files) if new_only else collected.files:
            call.progress(f"recognising {file.name}")
            try:
                sniffed = sniff(file, workdir=call.workdir)
            except RefusedError as error:
                call.damaged.append(file.name)
                outcomes.append(Outcome(status="refused", source=source, message=str(error)))
                continue
            try:
                beside = mapping.find(file.path) if source in (None, mapping.SOURCE) else None
                adapter = mapping.adapter(sniffed, beside) if beside else recognise(sniffed, source=source)
            except RefusedError as error:
                outcomes.append(_not_recognised(sniffed, source, error))
                continue
            try:
                sniffed = with_date_order(adapter, sniffed, told=call.dates)
            except RefusedError as error:
                call.damaged.append(file.name)
                outcomes.append(Outcome(status="refused", source=adapter.name, message=str(error)))
                continue
            key = next((k for k, a in adapters().items() if a is adapter), f"{adapter.name}:{adapter.sha256}")
            if (key, file.sha256) in known:
                continue
            known.add((key, file.sha256))
            period = file.manifest.period if file.manifest else ""
            batch = _Batch(key=key, adapter=adapter, period=period, files=[])
            batches.setdefault((period, key), batch).files.append(sniffed)
    return [batches[place] for place in sorted(batches)]


def _not_recognised(file: Delivered, source: str | None, error: RefusedError) -> Outcome:
    """Why a file has no adapter: nobody reads its like, or it holds nothing that would tell."""
    ways = [a.records for a in adapters().values() if "json" in a.formats and source in (None, a.name)]
    if file.format == "json" and holds_no_record(file, ways):
        message = f"{file.name}: holds no record, as an API answers where there is nothing; nothing to publish."
        return Outcome(status="empty", source=source, message=message)
    return Outcome(status="refused", source=source, message=str(error))


def _not_known(home: Home, files: Sequence[Delivered]) -> list[Delivered]:
    """The files that no delivery of the ledger brought in, and those that a manifest puts together with one of them."""
    entries = [f for d in lake.deliveries(home) if d.whole or d.withdrawn for f in d.files]
    known = {f["sha256"] for f in entries} | {f.get("archive_sha256") for f in entries}
    new = [f for f in files if f.sha256 not in known and (f.archive is None or f.archive not in known)]
    together = {f.manifest for f in new if f.manifest}
    return [f for f in files if f in new or f.manifest in together]


def _ingest_group(call: _Call, adapter: Adapter, files: list[Delivered]) -> list[Outcome]:
    if _already_there(call, adapter, files):
        return [
            Outcome(status="unchanged", source=adapter.name, unit=d.unit, delivery=d, message=f"{d.unit}: unchanged")
            for d in lake.current(call.home).values()
            if d.source == adapter.name and {f["sha256"] for f in d.files} <= {f.sha256 for f in files}
        ]
    call.progress(f"reading {adapter.name}: {len(files)} file{'s' if len(files) > 1 else ''}")
    with _database(call) as db:
        rejecting.begin(db)
        files, reasons = _converted(call, db, adapter, files)
        _limit_memory(db, [f.document_size for f in files if f.format == "json"])
        target = call.workdir / f"{adapter.name}-{adapter.dataset}.parquet"
        delivery_id = _delivery_id(call, files, adapter)

        why: dict[str, list[str]] = {}

        def stage(*, strict: bool) -> None:
            raw_view(db, adapter, files, strict=strict, without="rejected" if call.accept_rejects else None)
            _stage(call, db, _query(db, adapter), target, delivery_id)

        try:
            if not files:
                return _refusals(adapter, reasons)
            stage(strict=True)
        except duckdb.Error as error:
            # The fast reading stops at the first misfit without saying where; read again, slowly, to name it.
            why = misfits(db, adapter, files)
            if not why:
                names = _named([f.name for f in files])
                # What is quoted is a value.
                said = re.sub(r"['\"].*['\"]", "…", first_line(error)) if adapter.private else first_line(error)
                message = f"{names}: the {adapter.name} adapter cannot read this ({said})."
                return [Outcome(status="refused", source=adapter.name, message=message)]
            unreadable = {f.name for f in files if f.name in why and _unreadable(db, adapter, f)}
            files = [f for f in files if f.name not in unreadable]
            reasons |= {name: found for name, found in why.items() if name in unreadable or not call.accept_rejects}
            if not files:
                return _refusals(adapter, reasons)
            rejecting.misfits(db, adapter, files)
            try:
                stage(strict=False)
            except duckdb.Error:
                # The SELECT cannot do without the values that are missing: then none of the files is judged further.
                return _refusals(adapter, why)
        entries = _by_name([f.entry for f in files])
        if adapter.kept:
            counts = _kept_counts(db, reasons)
            reasons = _with_siblings(call, [f.name for f in files], reasons, counts)
            rejected = _rejected(db, adapter, files)
            return _keep(call, db, adapter, entries, counts, reasons, rejected)
        own = contract(adapter.dataset)
        offences = checking.offences(db, adapter, own)
        if offences:
            rejecting.offenders(db, own)
            if call.accept_rejects:
                stage(strict=False)
                offences = checking.offences(db, adapter, own)
        counted = _delivered(db, adapter)
        for name in {name for name in why if name not in reasons} - {f for found in counted[0].values() for f in found}:
            reasons[name] = [*why[name], f"{name}: no row of it can be taken."]
        staged = _Staged(
            file=target,
            delivery_id=delivery_id,
            entries=entries,
            counted=counted,
            offences=offences,
            rejected=_rejected(db, adapter, files),
            reasons=_with_siblings(call, [f.name for f in files], reasons, counted[0]),
            notes={f.name: told for f in files if (told := version(adapter, f))},
            manifests={f.name: f.manifest for f in files if f.manifest},
        )
        notes = [
            Outcome(
                status="note",
                source=adapter.name,
                message=f"{name}: {passed} of {count} {unit} hold nothing that {adapter.name} reads.",
            )
            for name, unit, passed, count in passed_over(db, adapter, [f for f in files if f.name not in reasons])
        ]
        return [*_settle(call, db, adapter, staged), *notes]


def _rejected(db: duckdb.DuckDBPyConnection, adapter: Adapter, files: Sequence[Delivered]) -> dict[Where, Rejected]:
    if not db.sql("select 1 from rejected limit 1").fetchall():
        return {}
    raw_view(db, adapter, files, strict=False, view="raw_all")
    return rejecting.placed(db, adapter)


def _converted(
    call: _Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, files: Sequence[Delivered]
) -> tuple[list[Delivered], dict[str, list[str]]]:
    """The files in a form that can be read again and again, and why others cannot be read at all."""
    readable, reasons = [], {}
    for i, file in enumerate(files, start=1):
        if len(files) > 1:
            call.progress(f"reading {adapter.name}: file {i} of {len(files)}, {file.name}")
        try:
            with lake.writing(call.home):
                readable.append(converted(db, adapter, file, workdir=call.workdir))
        except RefusedError as error:
            reasons[file.name] = [str(error)]
    return readable, reasons


def _refusals(adapter: Adapter, reasons: dict[str, list[str]]) -> list[Outcome]:
    return [Outcome(status="refused", source=adapter.name, message=m) for found in reasons.values() for m in found]


def _with_siblings(
    call: _Call, names: Sequence[str], reasons: dict[str, list[str]], counts: dict[Where, dict[str, int]]
) -> dict[str, list[str]]:
    """The reasons, and one more for each file that may hold the month of a file whose months nobody can tell.

    Such files are named alike but for their digits: publishing part 1 without part 2 would make a short month.
    """
    located = {file for per_file in counts.values() for file in per_file}
    lost = [*call.damaged, *(set(reasons) - located)]

    def alike(name: str) -> str:
        return re.sub(r"\d+", "#", name)

    extended = dict(reasons)
    for name in names:
        for bad in lost:
            if name not in extended and name != bad and alike(name) == alike(bad):
                extended[name] = [f"{name}: stays out, because {bad} was refused and may hold the same month."]
    return extended


def _unreadable(db: duckdb.DuckDBPyConnection, adapter: Adapter, file: Delivered) -> bool:
    raw_view(db, adapter, [file], strict=False)
    try:
        db.sql("select count(*) from raw").fetchall()
    except duckdb.Error:
        return True
    return False


def _already_there(call: _Call, adapter: Adapter, files: Sequence[Delivered]) -> bool:
    """Whether every file stands in the lake unchanged and whole, so that nothing need be read."""
    arrived = {f.sha256 for f in files}
    newest: dict[tuple[str, str], Delivery] = {}
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for d in lake.deliveries(call.home):
        if d.source == adapter.name and d.dataset == adapter.dataset:
            where = (d.billing_account, d.corrects or d.month)
            newest[where] = d
            seen[where] |= {f["sha256"] for f in d.files}
    held = [d for d in newest.values() if not d.withdrawn and d.whole and d.adapter_sha256 == adapter.sha256]
    settled = {f["sha256"] for d in held for f in d.files if {g["sha256"] for g in d.files} <= arrived}
    # What gave a month that holds something else by now, or nothing, is wanted back there.
    for where, d in newest.items():
        settled -= seen[where] - (set() if d.withdrawn else {f["sha256"] for f in d.files})
    return bool(files) and arrived <= settled


def _delivery_id(call: _Call, files: Sequence[Delivered] | Sequence[dict[str, Any]], adapter: Adapter) -> str:
    """What names a delivery: its files, how they are read, and when, because the same files may come again."""
    hashes = sorted(f.sha256 if isinstance(f, Delivered) else f["sha256"] for f in files)
    return hashlib.sha256("".join([*hashes, adapter.sha256, call.began]).encode()).hexdigest()[:16]


def _limit_memory(db: duckdb.DuckDBPyConnection, documents: Sequence[int] = ()) -> None:
    """Let DuckDB spill early; what its JSON reader allocates for each file and thread at once comes on top."""
    [(threads,)] = db.sql("select current_setting('threads')").fetchall()
    buffers = 2 * int(threads) * sum(documents)
    db.execute(f"set memory_limit = '{512 + 256 * int(threads) + (buffers >> 20)}MB'")


@contextmanager
def _database(call: _Call) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set preserve_insertion_order = false")
        _limit_memory(db)
        db.execute(f"set temp_directory = {literal(str(call.workdir / 'spill'))}")
        if call.account is not None:
            db.execute(f"set variable account = {literal(call.account)}")
        vocabulary(db)
        with _stopped_by_ctrl_c(db):
            yield db


@contextmanager
def _stopped_by_ctrl_c(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Tell DuckDB of Ctrl-C: by itself it waits until each of its other threads has read to its end."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def stop(*_: object) -> NoReturn:
        db.interrupt()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# --------------------------------------------------------------------------------------------------------------- stage


def _stage(call: _Call, db: duckdb.DuckDBPyConnection, query: str, target: Path, delivery_id: str) -> None:
    """Write a query to a Parquet file and show it as the view `staged`."""
    _copy(call, db, query, target, f", kv_metadata {{finops_delivery: {literal(delivery_id)}}}")
    db.execute(f"create or replace view staged as select * from read_parquet({literal(str(target))})")


def _copy(call: _Call, db: duckdb.DuckDBPyConnection, query: str, target: Path, options: str = "") -> None:
    with lake.writing(call.home):
        db.execute(f"copy ({query}) to {literal(str(target))} (format parquet{options})")


def _query(db: duckdb.DuckDBPyConnection, adapter: Adapter) -> str:
    if adapter.kept:
        return f"select *, {adapter.account} as x_account, {adapter.month} as x_month from raw"
    return _in_contract_columns(db, adapter)


def _in_contract_columns(db: duckdb.DuckDBPyConnection, adapter: Adapter) -> str:
    """The adapter's SELECT in the columns, order and types of its contract; what it does not select is NULL."""
    own = contract(adapter.dataset)
    assert adapter.select is not None
    select = adapter.select.strip().rstrip(";")
    given = {str(d[0]) for d in db.sql(f"describe {select}").fetchall()}
    unknown = given - set(own.names)
    if unknown:
        raise RefusedError(
            f"The {adapter.name} adapter gives columns that {adapter.dataset} does not have: "
            f"{', '.join(sorted(unknown))}."
        )
    defaults = {
        "x_Adapter": literal(adapter.name),
        "x_adapter": literal(adapter.name),
        "x_SourcePart": "1",
    }
    columns = []
    for c in own.columns:
        value = quoted(c.name) if c.name in given else defaults.get(c.name, "null")
        columns.append(f"cast({value} as {c.sql_type}) as {quoted(c.name)}")
    query = f"select {', '.join(columns)} from ({select}\n)"
    if adapter.dataset == "ai_usage":
        from .. import pricing

        return pricing.priced(db, query)
    return query


# -------------------------------------------------------------------------------------------------------------- settle


def _settle(call: _Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, staged: _Staged) -> list[Outcome]:
    """Check what is staged and publish every unit that keeps its promises."""
    own = contract(adapter.dataset)
    call.progress(f"checking {adapter.name}")
    read, delivered = staged.counted
    published = checking.totals(db, adapter, own)
    mended = checking.repairs(db, own)
    lost = _lost_money(adapter, delivered, published)
    spoilt: dict[str, list[str]] = {name: [] for name in staged.reasons}
    if not published and not read and not staged.reasons:
        names = _named(list(staged.entries))
        held = f"no row that {adapter.name} reads" if adapter.rows or adapter.line else "a header and no rows"
        return [Outcome(status="empty", source=adapter.name, message=f"{names}: holds {held}; nothing to publish.")]
    copies = overlaps.between_files(db, own, read, staged.manifests)
    problems = {
        where: [*staged.offences.get(where, []), *lost.get(where, []), *([copies[where]] if where in copies else [])]
        for where in sorted(set(published) | set(read) | set(staged.rejected))
    }
    with lake.locked(call.home):
        outcomes = _settled(call, db, adapter, staged, problems, published, mended, spoilt)
    for name, found in staged.reasons.items():
        kept = f" {', '.join(spoilt[name])} stays as it was." if spoilt[name] else ""
        outcomes += [
            Outcome(status="refused", source=adapter.name, message=f"{message}{kept}", staged=staged.file)
            for message in found
        ]
    return outcomes


def _settled(
    call: _Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    staged: _Staged,
    problems: dict[Where, list[str]],
    published: dict[Where, checking.Total],
    mended: dict[Where, str],
    spoilt: dict[str, list[str]],
) -> list[Outcome]:
    """Publish the units without a problem, while nobody else publishes."""
    read, _ = staged.counted
    now = lake.current(call.home)
    units = {
        where: Unit(dataset=adapter.dataset, source=adapter.source, billing_account=where[0], month=where[1])
        for where in problems
    }
    outcomes: list[Outcome] = []
    superseded = {where for where, unit in units.items() if _is_there_better(call, db, adapter, unit)}
    for where, unit in units.items():
        if where not in superseded and where in published:
            problems[where] += _overlaps(call, db, adapter, unit, sorted(read.get(where, {})), staged, now)
    whole = not staged.reasons and not any(problems.values())
    for where, unit in units.items():
        contributing = read.get(where, {})
        if where in superseded:
            message = f"{unit}: left out, what {adapter.name} says; the lake holds the same money from {adapter.source}"
            outcomes.append(Outcome(status="superseded", source=adapter.name, unit=unit, message=message))
            continue
        rejected = staged.rejected.get(where, NONE_REJECTED)
        if rejected.rows:
            _keep_rejected(call, db, unit)
        if set(contributing) & set(staged.reasons):
            for name in set(contributing) & set(staged.reasons):
                spoilt[name].append(str(unit))
            continue
        if problems[where]:
            outcomes += [
                Outcome(
                    status="refused",
                    source=adapter.name,
                    unit=unit,
                    staged=staged.file,
                    message=f"{p} {unit} stays as it was." if "None" not in where else p,
                )
                for p in problems[where]
            ]
            continue
        if not contributing and where not in published:
            continue
        total = published.get(where, NOTHING)
        source_rows = sum(contributing.values())
        delivery = Delivery(
            delivery_id=staged.delivery_id,
            dataset=adapter.dataset,
            source=adapter.source,
            billing_account=where[0],
            month=where[1],
            files=[file for name in sorted(contributing) for file in staged.entries[name]],
            adapter_sha256=adapter.sha256,
            rows_read=source_rows + rejected.rows,
            rows_published=total.rows,
            rows_rejected=rejected.rows,
            rows_merged=source_rows - (total.rows - total.added),
            rows_added=total.added,
            billed_total={c: plain(a) for c, a in sorted(total.billed.items())},
            effective_total={c: plain(a) for c, a in sorted(total.effective.items())},
            delivered_at=call.began,
            notes=[
                *staged.of_all,
                *sorted({staged.notes[name] for name in contributing if name in staged.notes}),
                *([mended[where]] if where in mended else []),
                *_missing(rejected),
            ],
            rejected_total={c: plain(a) for c, a in sorted(rejected.billed.items())},
            rejected_unreadable=rejected.unreadable,
            whole=whole,
        )
        outcomes.append(_publish(call, db, adapter, unit, delivery, staged.file, alone=len(published) == 1))
    return outcomes


def _overlaps(
    call: _Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    unit: Unit,
    files: Sequence[str],
    staged: _Staged,
    now: dict[Unit, Delivery],
) -> list[str]:
    """Why a unit would count the same charges twice."""
    found = [
        overlaps.between_reports(files, staged.manifests),
        overlaps.between_sources(db, call.home, unit, now),
        None if adapter.parts else _taken(call, adapter, unit, files),
    ]
    return [message for message in found if message is not None]


def _taken(call: _Call, adapter: Adapter, unit: Unit, files: Sequence[str]) -> str | None:
    """Why a unit that other files of this call gave already cannot be given once more."""
    if adapter.bucket is not None or not files:
        return None
    first = call.taken.setdefault(unit, files[0])
    if first == files[0]:
        return None
    return (
        f"{files[0]} and {first} came in one call as two deliveries of one month, and one would replace the other. "
        "Deliver the newer one alone."
    )


def _keep_rejected(call: _Call, db: duckdb.DuckDBPyConnection, unit: Unit) -> None:
    if not call.dry_run:
        own = None if unit.dataset == PARTS else contract(unit.dataset)
        private = own is not None and own.focus_dataset is None and not own.plan
        call.rejects.append(rejecting.keep(db, call.home, unit, private=private))


def _missing(rejected: Rejected) -> list[str]:
    """What a unit lacks of its bill, said in its notes."""
    if not rejected.rows:
        return []
    money = ", ".join(f"{c} {plain(a)}" for c, a in sorted(rejected.billed.items()))
    unreadable = f"{_rows(rejected.unreadable)} without a readable amount" if rejected.unreadable else ""
    missing = " and ".join(t for t in (money, unreadable) if t)
    return [f"{_rows(rejected.rows)} rejected" + (f": {missing} missing" if missing else "")]


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _delivered(db: duckdb.DuckDBPyConnection, adapter: Adapter, *, of: Where | None = None) -> Counted:
    """What was delivered, parts included: source rows by unit and file, and every cost that is to arrive whole.

    Charges are made from their parts one unit at a time: `of` says which.
    """
    account = adapter.account or literal(TIMELESS)
    month = adapter.month or literal(TIMELESS)
    amount, currency = adapter.billed or ("null::decimal(38, 18)", "null")
    counts: dict[Where, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    conserved = [c for c in adapter.conserves if c.part is None]
    costs: Costs = {c: {} for c in [*(["BilledCost"] if adapter.billed else []), *(c.column for c in conserved)]}

    def add(column: str, where: Where, currency: Any, total: Decimal | None, *, complete: bool) -> None:
        by_unit = costs.setdefault(column, {})
        found = by_unit.setdefault(where, {})
        if not complete:
            by_unit[where] = None
        elif found is not None and total is not None:
            found[str(currency)] = EXACT.add(found.get(str(currency), Decimal(0)), total)

    sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
    for a, m, file, c, rows, billed, *more in db.sql(
        f"select {account}, {month}, x_source_file, {currency}, count(*), sum(x_billed){sums} "
        f"from (select *, {amount} as x_billed from raw) as raw group by all"
    ).fetchall():
        where = (str(a), str(m))
        counts[where][str(file)] += int(rows)
        if adapter.billed:
            add("BilledCost", where, c, billed, complete=True)
        for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
            add(cost.column, where, c, total, complete=known == rows)
    for part in adapter.parts:
        assert of is not None
        # What charges wait for, such as a price list, is no charge itself: its rows count where it is kept.
        rows_are_charges = part not in adapter.waits_for
        conserved = [c for c in adapter.conserves if c.part == part]
        sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
        found = db.sql(
            f"select x_source_file, {currency if conserved else 'null'}, count(*){sums} from {part} group by all"
        ).fetchall()
        for file, c, rows, *more in found:
            counts[of][str(file)] += int(rows) if rows_are_charges else 0
            for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
                add(cost.column, of, c, total, complete=known == rows)
        for cost in conserved if not found else []:
            add(cost.column, of, None, None, complete=False)
    return counts, costs


def _is_there_better(call: _Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, unit: Unit) -> bool:
    """Whether the lake holds this money from the better of two exports of it."""
    if adapter.same_money_as is None or lake.holding(call.home, unit) is None:
        return False
    file = literal(str(call.home.lake / unit.file))
    return bool(
        db.sql(f"select 1 from read_parquet({file}) where x_Adapter <> {literal(adapter.name)} limit 1").fetchall()
    )


def _lost_money(adapter: Adapter, delivered: Costs, published: dict[Where, checking.Total]) -> dict[Where, list[str]]:
    """Units with a cost that does not add up to what was delivered, to the last digit."""
    lost: dict[Where, list[str]] = defaultdict(list)
    for column, by_unit in delivered.items():
        for where in {**by_unit, **published}:
            before, after = by_unit.get(where, {}), published.get(where, NOTHING).costs.get(column, {})
            if before is None:
                continue
            for c in sorted({*before, *after}):
                was, now = before.get(c, Decimal(0)), after.get(c, Decimal(0))
                if was != now:
                    lost[where].append(
                        f"{adapter.name}, column {column}: found {plain(now)} {c} after adapting, wanted the "
                        f"{plain(was)} {c} delivered."
                    )
    return lost


def _publish(
    call: _Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    unit: Unit,
    delivery: Delivery,
    staged: Path,
    *,
    alone: bool,
) -> Outcome:
    """Put one unit of `staged` in its place, unless it is there already; call under `lake.locked`."""
    try:
        return _put(call, db, adapter, unit, delivery, staged, alone=alone)
    except RefusedError as error:
        return Outcome(status="refused", source=unit.source, unit=unit, message=f"{unit}: {error}")


def _put(
    call: _Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    unit: Unit,
    delivery: Delivery,
    staged: Path,
    *,
    alone: bool,
) -> Outcome:
    before = lake.holding(call.home, unit)
    account, month = ("x_account", "x_month") if unit.dataset == PARTS else checking.placement(contract(unit.dataset))
    rows = "* exclude (x_account, x_month)" if unit.dataset == PARTS else "*"
    arrived = (
        f"select {rows} from staged "
        f"where {account} = {literal(unit.billing_account)} and {month} = {literal(unit.month)}"
    )
    query = arrived
    with lake.writing(call.home):
        late = closing.late(
            db, call.home, call.closures, delivery, arrived, workdir=call.workdir,
            stays=partial(_what_stays, adapter, contract(unit.dataset), arrived) if adapter.bucket else None,
        )  # fmt: skip
    if late:
        if late.message:
            return Outcome(status="refused", source=unit.source, unit=unit, message=late.message)
        if late.same:
            return Outcome(status="unchanged", source=unit.source, unit=unit, message=f"{unit}: unchanged")
        unit, delivery, query, before = late.unit, late.delivery, late.query, lake.holding(call.home, late.unit)
    elif before and adapter.bucket:
        stays = _what_stays(adapter, contract(unit.dataset), arrived, _held(call.home.lake / unit.file))
        delivery = _with_what_stays(db, delivery, before, stays)
        query = f"{arrived} union all by name {stays}"
    hashes = sorted(f["sha256"] for f in delivery.files)
    if (
        before
        and sorted(f["sha256"] for f in before.files) == hashes
        and before.adapter_sha256 == delivery.adapter_sha256
    ):
        return Outcome(status="unchanged", source=unit.source, unit=unit, delivery=before, message=f"{unit}: unchanged")
    if before:
        change = {
            c: plain(
                EXACT.subtract(Decimal(delivery.billed_total.get(c, "0")), Decimal(before.billed_total.get(c, "0")))
            )
            for c in sorted(set(before.billed_total) | set(delivery.billed_total))
        }
        delivery = replace(delivery, replaced=before.delivery_id, billed_change=change)
    message = _said(unit, delivery)
    if call.dry_run:
        return Outcome(status="would publish", source=unit.source, unit=unit, delivery=delivery, message=message)
    file = staged
    if not alone or query != arrived:
        file = call.workdir / f"{hashlib.sha256(str(unit).encode()).hexdigest()[:16]}.parquet"
        _copy(call, db, query, file, f", kv_metadata {{finops_delivery: {literal(delivery.delivery_id)}}}")
    kept = None
    if unit.dataset != PARTS and checking.is_broken_down(contract(unit.dataset)):
        kept = call.workdir / "breakdown.parquet"
        own = checking.broken_down(unit, None if query == arrived else query)
        _copy(call, db, own, kept)
    with lake.writing(call.home):
        delivery = lake.publish(call.home, delivery, file, kept=kept)
    if not delivery.rows_rejected:
        rejecting.forget(call.home, unit)
    published = Outcome(
        status="published", source=unit.source, unit=unit, delivery=delivery, message=message,
        staged=call.home.lake / unit.file,
    )  # fmt: skip
    call.published.append(published)
    return published


def _held(file: Path) -> str:
    return f"select * from read_parquet({literal(str(file))}, hive_partitioning = false)"


def _what_stays(adapter: Adapter, own: Contract, arrived: str, held: str) -> str:
    """A SELECT of the held rows of a unit that a delivery of some of its buckets leaves in place.

    A request without an id stays; a charge without a bucket belongs to a delivery of the whole month, which replaces
    every charge and is replaced by any delivery.
    """
    # A month published before the contract had the bucket's column has nothing in it.
    before = f"{held} union all by name {own.empty()}"
    bucket, delivered = adapter.bucket, f"select {adapter.bucket} from ({arrived})"
    if own.focus_dataset:
        return f"select * from ({before}) where {bucket} not in ({delivered})"
    kept = f"{bucket} is null or {bucket} not in ({delivered} where {bucket} is not null)"
    return f"select * from ({before}) where {kept}"


def _with_what_stays(db: duckdb.DuckDBPyConnection, delivery: Delivery, before: Delivery, stays: str) -> Delivery:
    """The delivery as the unit will hold it: with the rows of earlier buckets that it does not replace."""
    files: dict[str, dict[str, Any]] = {f["sha256"]: f for f in delivery.files}
    count = 0
    own = contract(delivery.dataset)
    totals = {"BilledCost": dict(delivery.billed_total), "EffectiveCost": dict(delivery.effective_total)}
    if delivery.billed_total:
        sums_of = ", ".join(f"sum({cost})" if cost in own.names else "null" for cost in totals)
        for currency, rows, *sums in db.sql(
            f"select BillingCurrency, count(*), {sums_of} from ({stays}) group by 1"
        ).fetchall():
            count += int(rows)
            for total, amount in zip(totals.values(), sums, strict=True):
                if amount is not None:
                    total[currency] = plain(EXACT.add(Decimal(total.get(currency, "0")), amount))
    else:
        [(count,)] = db.sql(f"select count(*) from ({stays})").fetchall()
    if not count:
        return delivery
    file, _ = checking.origin(own)
    names = {str(name) for (name,) in db.sql(f"select distinct {file} from ({stays})").fetchall()}
    files |= {f["sha256"]: f for f in before.files if f["name"] in names}
    return replace(
        delivery,
        files=list(files.values()),
        rows_read=delivery.rows_read + count,
        rows_published=delivery.rows_published + count,
        billed_total=dict(sorted(totals["BilledCost"].items())),
        effective_total=dict(sorted(totals["EffectiveCost"].items())),
        notes=[*delivery.notes, f"rows kept from earlier deliveries: {count}"],
    )


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


def _by_name(files: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Ledger entries by file name: two exports may well call a file the same."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in files:
        found[file["name"]].append(file)
    return found


def _named(files: Sequence[str]) -> str:
    """File names for a message: the first few, and how many more."""
    return ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def _said(unit: Unit, delivery: Delivery) -> str:
    rows = f"{delivery.rows_published} row{'' if delivery.rows_published == 1 else 's'}"
    money = ", ".join(f"{c} {a}" for c, a in delivery.billed_total.items())
    said = f"{unit}: {rows}" + (f", billed {money}" if money else "")
    if delivery.replaced is not None:
        moved = ", ".join(f"{c} {'+' if not a.startswith('-') else ''}{a}" for c, a in delivery.billed_change.items())
        said += f"; replaces an earlier delivery{f', change {moved}' if moved else ''}"
    return "; ".join([said, *delivery.notes])


# --------------------------------------------------------------------------------------------------------------- parts


def _kept_counts(db: duckdb.DuckDBPyConnection, reasons: dict[str, list[str]]) -> dict[Where, dict[str, int]]:
    """Rows of a staged part by unit and file; a file with a row of no unit is given its reason."""
    counts: dict[Where, dict[str, int]] = defaultdict(dict)
    for account, month, file, count, row in db.sql(
        "select x_account, x_month, x_source_file, count(*), min(x_source_row) from staged group by all"
    ).fetchall():
        if account is not None and month is not None:
            counts[(str(account), str(month))][str(file)] = int(count)
        elif file not in reasons:
            message = (
                f"{file}, row {row}: found no billing account or no month, wanted both to know what the row replaces. "
                "Correct the row at its source and deliver the file again."
            )
            reasons[file] = [message]
    return counts


def _keep(
    call: _Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    entries: dict[str, list[dict[str, Any]]],
    counts: dict[Where, dict[str, int]],
    reasons: dict[str, list[str]],
    rejected: dict[Where, Rejected],
) -> list[Outcome]:
    """Keep a part as delivered; the charges it completes are made once every part of the call is kept."""
    if not counts and not reasons:
        message = f"{_named(list(entries))}: holds a header and no rows; nothing to publish."
        return [Outcome(status="empty", source=adapter.name, message=message)]
    kept = []
    for where, contributing in sorted(counts.items()):
        if set(contributing) & set(reasons):
            continue
        unit = Unit(dataset=PARTS, source=adapter.name, billing_account=where[0], month=where[1])
        rows = sum(contributing.values())
        lacking = rejected.get(where, NONE_REJECTED)
        if lacking.rows:
            _keep_rejected(call, db, unit)
        files = [file for name in sorted(contributing) for file in entries[name]]
        delivery = Delivery(
            delivery_id=_delivery_id(call, files, adapter),
            dataset=PARTS,
            source=adapter.name,
            billing_account=where[0],
            month=where[1],
            files=files,
            adapter_sha256=adapter.sha256,
            rows_read=rows + lacking.rows,
            rows_published=rows,
            rows_rejected=lacking.rows,
            rows_merged=0,
            rows_added=0,
            billed_total={},
            effective_total={},
            delivered_at=call.began,
            rejected_total={c: plain(a) for c, a in sorted(lacking.billed.items())},
            rejected_unreadable=lacking.unreadable,
        )
        if taken := _taken(call, adapter, unit, sorted(contributing)):
            message = f"{taken} {unit} stays as it was."
            kept.append(Outcome(status="refused", source=adapter.name, unit=unit, message=message))
            continue
        with lake.locked(call.home):
            kept.append(_publish(call, db, adapter, unit, delivery, call.workdir, alone=False))
        call.kept.add((adapter.name, where))
    return [*_refusals(adapter, reasons), *(o for o in kept if call.dry_run or o.status == "refused")]


def _complete(call: _Call) -> None:
    """Adapt the charges of every account and month of which a part has arrived, from all the parts there are."""
    for adapter in (a for a in adapters().values() if a.select is not None and a.parts and not call.dry_run):
        now = lake.current(call.home)
        for where, arrived in _to_complete(call, adapter, now):
            units = {name: _part_unit(name, where, now) for name in (adapter.name, *adapter.parts)}
            awaited = next((n for n in (adapter.name, *adapter.waits_for) if units[n] not in now), None)
            if awaited:
                of_month = " of that month" if awaited == adapter.name and where[1] != TIMELESS else ""
                message = (
                    f"{arrived}, account {where[0]}, {where[1]}: kept; its charges appear once the {awaited} "
                    f"export{of_month} is delivered too"
                )
                call.outcomes.append(Outcome(status="held", source=arrived, unit=units[arrived], message=message))
                continue
            # Parts that another ingestion replaces in between would not be the ones that the ledger names.
            with lake.locked(call.home):
                call.outcomes.extend(_from_parts(call, adapter, units, lake.current(call.home)))
    call.kept.clear()


def _to_complete(call: _Call, adapter: Adapter, now: dict[Unit, Delivery]) -> list[tuple[Where, str]]:
    """Accounts and months whose charges this call may make or change, each with a part of them that arrived."""
    found: dict[Where, str] = {}
    for name, (account, month) in sorted(call.kept):
        if name not in (adapter.name, *adapter.parts):
            continue
        months = [month]
        if month == TIMELESS:
            # A part without months, such as a price list, is one of every month there is.
            ours = (PARTS, adapter.name, account)
            months = [u.month for u in now if (u.dataset, u.source, u.billing_account) == ours] or months
        for each in months:
            found.setdefault((account, each), name)
    return sorted(found.items())


def _part_unit(name: str, where: Where, now: dict[Unit, Delivery]) -> Unit:
    """Where a part of an account's month is kept: under that month, or under none where it has none."""
    of_month, timeless = (
        Unit(dataset=PARTS, source=name, billing_account=where[0], month=month) for month in (where[1], TIMELESS)
    )
    return timeless if timeless in now else of_month


def _from_parts(call: _Call, adapter: Adapter, units: dict[str, Unit], now: dict[Unit, Delivery]) -> list[Outcome]:
    call.progress(f"adapting {adapter.name} {units[adapter.name].month}")
    entries = _by_name([f for u in units.values() if u in now for f in now[u].files])
    notes = [f"no {name} delivery of this month yet" for name in adapter.parts if units[name] not in now]
    delivery_id = _delivery_id(call, [f for files in entries.values() for f in files], adapter)
    target = call.workdir / f"{adapter.name}-{units[adapter.name].month}-{delivery_id}.parquet"
    where = (units[adapter.name].billing_account, units[adapter.name].month)
    with _database(call) as db:
        rejecting.begin(db)
        for name, unit in units.items():
            _part_table(call, db, adapter, name, unit if unit in now else None)

        def stage() -> None:
            _stage(call, db, _in_contract_columns(db, adapter), target, delivery_id)

        try:
            stage()
        except duckdb.Error as error:
            message = f"{_named(list(entries))}: the {adapter.name} adapter cannot read this ({first_line(error)})."
            return [Outcome(status="refused", source=adapter.name, message=message)]
        own = contract(adapter.dataset)
        rejected: dict[Where, Rejected] = {}
        where = (units[adapter.name].billing_account, units[adapter.name].month)
        counted = _delivered(db, adapter, of=where)
        if offences := checking.offences(db, adapter, own):
            rejecting.offenders(db, own)
            if call.accept_rejects:
                stage()
                offences = checking.offences(db, adapter, own)
                counted = _delivered(db, adapter, of=where)
            rejected = rejecting.placed(db, adapter)
        staged = _Staged(
            file=target,
            delivery_id=delivery_id,
            entries=entries,
            counted=counted,
            offences=offences,
            rejected=_with_carried(rejected, [now[unit] for unit in units.values() if unit in now]),
            reasons={},
            of_all=notes,
        )
        return _settle(call, db, adapter, staged)


def _with_carried(rejected: dict[Where, Rejected], parts: Sequence[Delivery]) -> dict[Where, Rejected]:
    """What was rejected, and what of the parts was rejected when they were kept."""
    found = dict(rejected)
    for part in parts:
        if not part.rows_rejected:
            continue
        where = (part.billing_account, part.month)
        before = found.get(where, NONE_REJECTED)
        billed = dict(before.billed)
        for currency, amount in part.rejected_total.items():
            billed[currency] = EXACT.add(billed.get(currency, Decimal(0)), Decimal(amount))
        found[where] = Rejected(
            rows=before.rows + part.rows_rejected,
            billed=billed,
            unreadable=before.unreadable + part.rejected_unreadable,
        )
    return found


def _part_table(call: _Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, name: str, unit: Unit | None) -> None:
    """Give the SELECT one of its tables: `raw`, or a part it names, empty where none was delivered."""
    file = None if unit is None else literal(str(call.home.lake / unit.file))
    taken = "anti join rejected using (x_source_file, x_source_row)" if call.accept_rejects else ""
    if name == adapter.name:
        db.execute(f"create view raw_all as select * from read_parquet({file})")
        db.execute(f"create view raw as from raw_all {taken}")
        return
    db.execute(adapter.parts[name])
    db.execute(f"alter table {name} add column if not exists x_source_file varchar")
    db.execute(f"alter table {name} add column if not exists x_source_row bigint")
    if file is None:
        return
    columns = db.sql(f"describe {name}").fetchall()
    db.execute(f"drop table {name}")
    # What was kept before the part had a column has nothing in it.
    casts = ", ".join(f"cast({quoted(str(c))} as {t}) as {quoted(str(c))}" for c, t, *_ in columns)
    nothing = ", ".join(f"cast(null as {t}) as {quoted(str(c))}" for c, t, *_ in columns)
    db.execute(
        f"create view {name} as select {casts} from (select * from read_parquet({file}) "
        f"union all by name select {nothing} where false) {taken}"
    )


def _documented(call: _Call, outcomes: Sequence[Outcome]) -> Path | None:
    """Let Great Expectations say what was checked: one page per source and dataset of this call."""
    from .. import expectations

    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for o in outcomes:
        if o.status in ("published", "refused") and not (o.unit and o.unit.dataset == PARTS):
            dataset = (
                o.unit.dataset if o.unit else next((a.dataset for a in adapters().values() if a.name == o.source), "")
            )
            groups[(o.source or "not recognised", dataset or "cost_and_usage")].append(o)
    if not groups:
        return None
    call.progress("writing Data Docs")
    pages = []
    for (source, dataset), found in sorted(groups.items()):
        months = sorted({o.unit.month for o in found if o.unit and o.unit.month != TIMELESS})
        span = f", {months[0]} to {months[-1]}" if len(months) > 1 else f", {months[0]}" if months else ""
        pages.append(
            expectations.Delivery(
                title=f"{dataset} from {source}{span}",
                delivered_at=call.began[:19] + "Z",
                contract=contract(dataset),
                parquet=sorted({o.staged for o in found if o.staged is not None and o.staged.exists()}),
                refusals=[o.message for o in found if o.status == "refused"],
            )
        )
    return expectations.document(pages, out=call.home.reports / "data_docs")
