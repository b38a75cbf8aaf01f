"""The first room: paths become batches, files of one export that are read together. No SQL, no lake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ...errors import RefusedError, UsageError, is_stop
from ..adapters import Adapter, adapters
from . import files, mapping
from .files import Delivered
from .recognising import recognise, refuse_doubled

__all__ = ["Aside", "Batch", "Collected", "Inspector", "from_paths", "named"]


class Inspector(Protocol):
    """What only a look at the rows tells of a file; the room that reads them answers."""

    def parquet(self, file: Delivered, /) -> Delivered:
        """A Parquet file with its columns."""

    def has_row(self, adapter: Adapter, file: Delivered, /) -> bool:
        """Whether a file has a row by which an adapter tells exports with equal columns apart."""

    def with_date_order(self, adapter: Adapter, file: Delivered, /, *, told: str | None) -> Delivered:
        """A file with the order in which it writes day and month; RefusedError where that cannot be told."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Files of one export that are read together: those of a month, where manifests say which it is."""

    adapter: Adapter
    period: str
    files: tuple[Delivered, ...]

    def __str__(self) -> str:
        of = f" of {self.period}" if self.period else ""
        return f"{self.adapter.name}{of}: {named([f.name for f in self.files])}"


@dataclass(frozen=True, kw_only=True)
class Aside:
    """A file that goes no further, and why."""

    status: str
    """refused, superseded or empty."""
    source: str | None
    message: str
    damaged: str = ""
    """The file's name, where nothing of it can be read: it may hold any month."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What the paths of one call hold."""

    batches: tuple[Batch, ...]
    """Months in their order; files that no manifest gives a month come first."""
    asides: tuple[Aside, ...]
    known: tuple[Delivered, ...] = ()
    """Files that are there and were not looked into, because the ledger knows them."""

    @property
    def damaged(self) -> tuple[str, ...]:
        """Files that could not be opened at all, or whose dates nobody can tell."""
        return tuple(a.damaged for a in self.asides if a.damaged)


def from_paths(
    paths: Sequence[str | Path],
    *,
    workdir: Path,
    inspector: Inspector,
    source: str | None,
    dates: str | None,
    known: Collection[str],
    progress: Callable[[str], None],
) -> Collected:
    """Find every file, learn which export each is, and put those together that are read together.

    Reads    files, folders, globs and archives; known: sha256 of files and archives that are not read again;
             `dates`: in which order files write day and month that do not tell.
    Refuses  UsageError for a path or a source that does not exist; what is wrong with a file sets it aside.
    """
    asides: list[Aside] = []
    skipped: list[Delivered] = []
    batches: dict[tuple[str, str], dict[str, tuple[Adapter, Delivered]]] = {}
    for given in paths:
        found = files.find(given, workdir=workdir)
        asides += [Aside(status="refused", source=source, message=m, damaged=n) for n, m in found.damaged.items()]
        asides += [Aside(status="superseded", source=source, message=m) for m in found.superseded]
        asides += [Aside(status="refused", source=source, message=m) for m in found.incomplete]
        new = _not_known(found.files, known)
        skipped += [f for f in found.files if f not in new]
        for file in new:
            progress(f"recognising {file.name}")
            told = _recognised(file, workdir=workdir, inspector=inspector, source=source, dates=dates)
            if isinstance(told, Aside):
                asides.append(told)
                continue
            adapter, recognised = told
            key = next((k for k, a in adapters().items() if a is adapter), f"{adapter.name}:{adapter.sha256}")
            period = file.manifest.period if file.manifest else ""
            # A copy of a file that is there counts once, whichever manifest names it.
            if all(file.sha256 not in held for (_, k), held in batches.items() if k == key):
                batches.setdefault((period, key), {})[file.sha256] = adapter, recognised
    return Collected(batches=tuple(_batches(batches)), asides=tuple(asides), known=tuple(skipped))


def with_siblings(
    batch: Batch,
    siblings: Sequence[Delivered],
    *,
    workdir: Path,
    inspector: Inspector,
    source: str | None,
    dates: str | None,
) -> Batch:
    """A batch with files that were not looked into at first, as far as they are of the same export."""
    told = (_recognised(f, workdir=workdir, inspector=inspector, source=source, dates=dates) for f in siblings)
    read = [t[1] for t in told if not isinstance(t, Aside) and t[0].sha256 == batch.adapter.sha256]
    return replace(batch, files=(*batch.files, *read))


def _batches(found: dict[tuple[str, str], dict[str, tuple[Adapter, Delivered]]]) -> Iterator[Batch]:
    for (period, _), held in sorted(found.items()):
        adapter = next(iter(held.values()))[0]
        yield Batch(adapter=adapter, period=period, files=tuple(file for _, file in held.values()))


def _recognised(
    file: Delivered, *, workdir: Path, inspector: Inspector, source: str | None, dates: str | None
) -> tuple[Adapter, Delivered] | Aside:
    by, damaged = source, file.name
    try:
        sniffed = files.sniff(file, workdir=workdir, parquet=inspector.parquet)
        beside = mapping.find(file.path) if source in (None, mapping.SOURCE) else None
        damaged = ""
        if beside:
            adapter = mapping.adapter(sniffed, beside)
        else:
            try:
                adapter = recognise(sniffed, has_row=inspector.has_row, source=source)
            except RefusedError as error:
                return _not_recognised(sniffed, source, error)
        refuse_doubled(adapter, sniffed)
        by, damaged = adapter.name, file.name
        return adapter, inspector.with_date_order(adapter, sniffed, told=dates)
    except RefusedError as error:
        return Aside(status="refused", source=by, message=str(error), damaged=damaged)
    except UsageError:
        raise
    except Exception as error:  # whatever a file does to a library, its neighbours come in
        if is_stop(error):
            raise
        return Aside(status="refused", source=by, message=unforeseen([file.name], error), damaged=file.name)


def _not_recognised(file: Delivered, source: str | None, error: RefusedError) -> Aside:
    """Why a file has no adapter: nobody reads its like, or it holds nothing that would tell."""
    ways = [a.records for a in adapters().values() if "json" in a.formats and source in (None, a.name)]
    if file.format == "json" and files.holds_no_record(file, ways):
        message = f"{file.name}: holds no record, as an API answers where there is nothing; nothing to publish."
        return Aside(status="empty", source=source, message=message)
    return Aside(status="refused", source=source, message=str(error))


def _not_known(found: Sequence[Delivered], known: Collection[str]) -> list[Delivered]:
    """The files that are not known, and those that a manifest puts together with one of them."""
    new = {f.name for f in found if f.sha256 not in known and (f.archive is None or f.archive not in known)}
    together = {f.manifest for f in found if f.manifest and f.name in new}
    return [f for f in found if f.name in new or f.manifest in together]


def unforeseen(files: Sequence[str], error: Exception) -> str:
    """What is said of files that nobody thought of."""
    return (
        f"{named(files)}: cannot be read, for a reason that nobody has foreseen ({type(error).__name__}). Export it "
        "again; if that does not help, report it with the file."
    )


def named(files: Sequence[str]) -> str:
    """File names for a message: the first few, and how many more."""
    return ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
