"""Files as delivered: what is there, unpacked, and what is inside of text."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import itertools
import json
import lzma
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from ...errors import RefusedError, UsageError, no_room
from ..adapters import envelopes, line_patterns
from . import manifests


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """One file of a delivery, unpacked where it came in an archive."""

    name: str
    path: Path
    sha256: str
    size: int
    format: str = ""
    header: tuple[str, ...] = ()
    """Column names as delivered; for JSON the keys of the first record and of what stands around it."""
    doubled: frozenset[str] = frozenset()
    """Columns of a CSV that stand in its header more than once."""
    types: tuple[str, ...] = ()
    projection: str = "*"
    """Parquet only: SQL of the columns, of which some need to be brought into their shape."""
    delimiter: str = ","
    manifest: manifests.Manifest | None = None
    """The exporter's manifest that names it."""
    archive: str | None = None
    """sha256 of the archive it was unpacked from."""
    opened: tuple[tuple[str, str], ...] = ()
    """Keys inside of JSON that stands in a text of a record: the text's own key, and the key in it."""
    document_size: int = 1 << 24
    """Bytes that a JSON document may have; DuckDB allocates twice as many for each thread."""
    array: bool = False
    """Whether a JSON file is one array rather than objects after each other."""
    date_order: str = ""
    """month-first or day-first, once it is known for a source that writes dates either way."""

    @property
    def entry(self) -> dict[str, Any]:
        packed = {"archive_sha256": self.archive} if self.archive else {}
        return {"name": self.name, "sha256": self.sha256, "bytes": self.size, **packed}


ARCHIVES = 3
"""Archives within each other that are unpacked."""
BOMB, RATIO = 1 << 30, 200
"""An archive that unpacks to more bytes than this and to so many times its size is none of exports."""
NOT_DATA = re.compile(r"(_success|\.crc|\.md|truth\.json|expected\.csv|map\.yml)$", re.IGNORECASE)
"""Files that accompany a delivery without being part of it."""


def is_data(name: str) -> bool:
    """Whether a file, named relative to its folder, may be part of a delivery."""
    return _is_visible(name) and not NOT_DATA.search(Path(name).name) and not manifests.NAME.search(name)


def _is_visible(name: str) -> bool:
    return not any(part.startswith(".") for part in Path(name).parts)


def digest(file: Path) -> str:
    """sha256 of a file's content."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Found:
    """The files of a delivery, and what was left out of it by its manifests."""

    files: list[Delivered]
    superseded: list[str]
    """Why a file is not read: a newer delivery of its period is there."""
    incomplete: list[str]
    """Why a file is refused: its manifest names others that are not there."""
    damaged: dict[str, str]
    """Archives and files that cannot be opened, and why."""


def find(given: str | Path, *, workdir: Path) -> Found:
    """Every file that a path, folder, glob or archive holds, each once however often it is there.

    Where manifests are among them, the newest of a report and period decides which files count.
    Refuses  UsageError for a path that does not exist.
    """
    there: list[tuple[str, Path, str | None]] = []
    damaged: dict[str, str] = {}
    for name, path in _below(Path(given)):
        if _is_visible(name):
            try:
                inside = _unpack(name, path, workdir=workdir)
                archive = None if inside == [(name, path)] else digest(path)
                path.open("rb").close()
            except RefusedError as error:
                damaged[name] = str(error)
            except OSError as error:
                reason = error.strerror or "unreadable"
                damaged[name] = f"{name}: cannot be opened ({reason}). Let it be read, or fetch it again."
            else:
                # A manifest names an archive, not what is inside it, so the inner file keeps the archive's folder.
                there += [(_inside(name, inner) if archive else inner, file, archive) for inner, file in inside]
    said = [m for name, path, _ in there if manifests.NAME.search(name) and (m := manifests.read(name, path))]
    data = [(name, path, archive) for name, path, archive in there if is_data(name)]
    judged = manifests.sort(said, [name for name, *_ in data])
    found: dict[str, Delivered] = {}
    for name, path, archive in data:
        if name in judged.superseded or name in judged.incomplete:
            continue
        content = digest(path)
        delivered = Delivered(
            name=name,
            path=path,
            sha256=content,
            size=path.stat().st_size,
            manifest=judged.in_force.get(name),
            archive=archive,
        )
        found.setdefault(content, delivered)
    return Found(
        files=list(found.values()),
        superseded=[
            f"{name}: left out; {newer} names a newer delivery of it" for name, newer in judged.superseded.items()
        ],
        incomplete=[
            f"{name}: stays out, because {why}. Fetch the whole delivery." for name, why in judged.incomplete.items()
        ],
        damaged=damaged,
    )


def _below(path: Path) -> list[tuple[str, Path]]:
    """The files that a path, folder or glob names, each with its name below it."""
    if path.is_dir():
        return [(str(f.relative_to(path)), f) for f in sorted(path.rglob("*")) if f.is_file()]
    if path.is_file():
        return [(path.name, path)]
    anchor = Path(path.anchor) if path.anchor else Path()
    pattern = str(path.relative_to(anchor)) if path.anchor else str(path)
    matches = sorted(f for f in anchor.glob(pattern) if f.is_file()) if any(c in str(path) for c in "*?[") else []
    if not matches:
        raise UsageError(f"There is no file or folder {path}. Check the path; patterns are expanded as in a shell.")
    top = Path(os.path.commonpath([f.parent for f in matches]))
    return [(str(f.relative_to(top)), f) for f in matches]


def _inside(archive: str, inner: str) -> str:
    return str(Path(archive).parent / inner)


def _unpack(name: str, path: Path, *, workdir: Path, depth: int = 0) -> list[tuple[str, Path]]:
    lower = name.lower()
    if not lower.endswith((".zip", ".tar", ".tar.gz", ".tgz")):
        return [(name, path)]
    if depth == ARCHIVES:
        raise RefusedError(f"{name}: found archives in archives in archives. Unpack them, and deliver what is in them.")
    out = workdir / "unpacked" / hashlib.sha256(name.encode()).hexdigest()[:12]
    members: list[tuple[str, Path]] = []
    try:
        if lower.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                _is_no_bomb(name, path, sum(member.file_size for member in archive.infolist()))
                archive.extractall(out)  # noqa: S202 - zipfile keeps every member below `out`
        else:
            with tarfile.open(path) as tar:
                _is_no_bomb(name, path, sum(member.size for member in tar))
                _extract(tar, out)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        NotImplementedError,
        ValueError,
    ):
        raise RefusedError(
            f"{name}: this archive is damaged, or packed in a way that cannot be unpacked. Fetch it again from where "
            "it was exported."
        ) from None
    except RuntimeError:
        raise RefusedError(f"{name}: this archive is locked by a password. Deliver what is in it.") from None
    except OSError as error:
        if no_room(error):
            raise
        raise RefusedError(
            f"{name}: this archive is damaged ({error.strerror or 'unreadable'}). Fetch it again."
        ) from None
    for file in sorted(out.rglob("*")):
        if file.is_file():
            members += _unpack(str(file.relative_to(out)), file, workdir=out, depth=depth + 1)
    return members


def _extract(tar: tarfile.TarFile, out: Path) -> None:
    """Write the files of an archive below a folder. tarfile itself does so safely only since Python 3.11.4."""
    for member in tar:
        if member.isdir():
            continue
        inside = PurePosixPath(member.name)
        if not member.isfile() or inside.is_absolute() or ".." in inside.parts:
            raise tarfile.TarError
        packed = tar.extractfile(member)
        assert packed is not None
        file = out / inside
        file.parent.mkdir(parents=True, exist_ok=True)
        with packed, file.open("wb") as written:
            shutil.copyfileobj(packed, written)


def _is_no_bomb(name: str, path: Path, unpacked: int) -> None:
    if unpacked > BOMB and unpacked > RATIO * path.stat().st_size:
        raise RefusedError(
            f"{name}: found {unpacked >> 20} MB packed into {path.stat().st_size >> 10} kB, which no export does. "
            "Unpack it yourself if it is one, and deliver what is in it."
        )


@contextmanager
def unpacked(file: Delivered) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked where it is gzipped.

    Refuses  RefusedError where it is damaged, or not UTF-8 where it is read as text.
    """
    try:
        with file.path.open("rb") as handle:
            packed = handle.read(2) == b"\x1f\x8b"
        with gzip.open(file.path) if packed else file.path.open("rb") as content:
            yield cast(BinaryIO, content)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise RefusedError(
            f"{file.name}: the gzip stream is damaged or ends before its end. Fetch it again; nothing of it was read."
        ) from None
    except OSError as error:
        raise RefusedError(
            f"{file.name}: cannot be opened ({error.strerror or 'unreadable'}). Let it be read, or fetch it again."
        ) from None


def sniff(file: Delivered, *, workdir: Path, parquet: Callable[[Delivered], Delivered]) -> Delivered:
    """Find out a file's format and its columns by looking inside; names and endings decide nothing.

    Reads    parquet: gives a Parquet file with its columns.
    Returns  the file with format, header and types; one whose lines end in several ways is copied to `workdir` with
             one kind of ending, which the CSV reader wants, as is one that begins with blank lines; text of which a
             line looks like an adapter's has the format `lines`, and that adapter's columns.
    Refuses  RefusedError for an empty file and for one that is neither Parquet, JSON nor text.
    """
    with file.path.open("rb") as handle:
        magic = handle.read(4)
    if not magic:
        raise RefusedError(
            f"{file.name}: the file is empty (0 bytes). Wanted an export with at least a header; export it again."
        )
    if magic == b"PAR1":
        return parquet(file)
    with unpacked(file) as content:
        start = content.read(PART)
    try:
        text = start.decode("utf-8-sig", errors="strict" if len(start) < PART else "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        what = "text in UTF-16" if _is_utf16(start) else "neither Parquet nor UTF-8 text"
        raise RefusedError(f"{file.name}: this is {what}. Wanted CSV or JSON in UTF-8, or Parquet, gzipped or not.")
    if text.startswith("\ufeff"):
        raise RefusedError(
            f"{file.name}: begins with two byte order marks, wanted one or none. Save it again as UTF-8."
        )
    stripped = text.lstrip()
    if not stripped:
        raise RefusedError(
            f"{file.name}: the file holds only blanks. Wanted an export with at least a header; export it again."
        )
    if stripped[0] in "{[":
        return _sniff_json(replace(file, document_size=PART) if len(start) < PART else file, stripped)
    endings = start.count(b"\r\n")
    if not text.splitlines()[0].strip() or (endings and endings != start.count(b"\n")):
        file = _with_one_ending(file, workdir)
    for pattern, groups in line_patterns().items():
        if re.search(pattern, text, flags=re.MULTILINE):
            return replace(file, format="lines", header=groups, types=("VARCHAR",) * len(groups))
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(",;\t|", key=first.count)
    header = next(csv.reader(io.StringIO(first), delimiter=delimiter))
    return replace(
        file,
        format="csv",
        header=_unique(tuple(header)),
        doubled=frozenset(name for name in header if name and header.count(name) > 1),
        types=("VARCHAR",) * len(header),
        delimiter=delimiter,
    )


def _is_utf16(start: bytes) -> bool:
    halves = start[:200:2], start[1:200:2]
    return start[:2] in (b"\xff\xfe", b"\xfe\xff") or any(half.count(0) > len(half) // 2 for half in halves)


def _with_one_ending(file: Delivered, workdir: Path) -> Delivered:
    out = workdir / f"{file.sha256[:16]}.csv"
    with unpacked(file) as given, out.open("wb") as written:
        for line in itertools.dropwhile(lambda line: not line.removeprefix(codecs.BOM_UTF8).strip(), given):
            written.write(line.rstrip(b"\r\n") + b"\n")
    return replace(file, path=out)


PART = 1 << 20
"""Bytes at the start of a file that tell what it is."""
DOCUMENT = 256 << 20
"""Bytes of the largest single JSON document: it is held in memory as a whole, several times."""
NESTED = 3
"""Lists in lists that are looked into, on the way to records."""
SAMPLED = 2000
"""JSON documents, and members of a list in them, looked at to learn which keys there are: the first ones may be empty
buckets, of which a day of minutes has 1,440."""


def _sniff_json(file: Delivered, start: str) -> Delivered:
    documents = list(_documents(start))
    if not documents:
        # A first document longer than the part that was read, or no JSON at all: the whole file decides.
        with unpacked(file) as whole:
            content = whole.read(DOCUMENT + 1)
        if len(content) > DOCUMENT:
            raise RefusedError(
                f"{file.name}: found one JSON document of more than {DOCUMENT >> 20} MB, wanted records that can be "
                "read one after the other. Export it in pages, or with one record per line."
            )
        try:
            text = content.decode("utf-8-sig").strip()
            documents = list(_documents(text))
            file = replace(file, document_size=max(file.document_size, len(content)))
            if not documents and text.removeprefix("[").removesuffix("]").strip():
                json.loads(text)
        except ValueError as error:
            raise RefusedError(f"{file.name}: this is not valid JSON ({error}). Fetch it again.") from None
        except RecursionError:
            raise RefusedError(f"{file.name}: this JSON is nested too deep to hold records. Export it again.") from None
    keys: dict[str, None] = {}
    opened: dict[tuple[str, str], None] = {}

    def walk(value: Any, depth: int) -> None:
        if isinstance(value, list):
            # A record may be a list; its members are called by their place.
            keys.update(dict.fromkeys(f"[{i}]" for i in range(len(value))))
        elif isinstance(value, dict):
            keys.update(dict.fromkeys(value))
            if all(isinstance(nested, dict) for nested in value.values()):
                # Perhaps a map of records by name: their keys may be columns.
                for record in list(value.values())[:SAMPLED]:
                    keys.update(dict.fromkeys(record))
            enveloped = [value[a].get(key) for a, key in envelopes() if isinstance(value.get(a), dict)]
            for nested in [*value.values(), *enveloped] if depth else []:
                for record in nested[:SAMPLED] if isinstance(nested, list) else []:
                    walk(record, depth - 1)
            # A log event's message may be a record as text.
            for key, text in value.items() if depth < NESTED else []:
                if isinstance(text, str) and text.startswith("{"):
                    opened.update(dict.fromkeys((key, inner) for inner in next(_documents(text), {})))

    for document in documents:
        walk(document, NESTED)
    if not keys and not all(d in ({}, None) for d in documents):
        raise RefusedError(
            f"{file.name}: this JSON holds no record, so nothing tells which export it is. Nothing is lost."
        )
    return replace(
        file,
        format="json",
        header=tuple(keys),
        types=("JSON",) * len(keys),
        array=start[0] == "[",
        opened=tuple(opened),
    )


def _documents(text: str) -> Iterator[Any]:
    """The first whole documents of a JSON array, of objects after each other, or of both cut short."""
    decoder = json.JSONDecoder()
    at = 1 if text.startswith("[") else 0
    for _ in range(SAMPLED):
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield document


def holds_no_record(file: Delivered, paths: Iterable[tuple[str, ...]]) -> bool:
    """Whether a JSON file is what an API answers where there is nothing: pages and buckets with empty lists.

    Reads    the ways to a record, as adapters say them; a file of more than a page's length holds something.
    """
    with unpacked(file) as content:
        start = content.read(PART).decode("utf-8-sig", errors="ignore").strip()
    documents = list(_documents(start))
    return len(start) < PART and any(all(_leads_nowhere(d, path) for d in documents) for path in {(), *paths})


def _leads_nowhere(value: Any, path: Sequence[str]) -> bool:
    if not path or not isinstance(value, dict):
        return value in ({}, None)
    for key in (k.strip() for k in path[0].split("|")):
        inner: Any = value
        for name in key.split(".") if key != "*" else []:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(inner, list) or (key == "*" and value is not None):
            members = list(value.values()) if key == "*" else inner
            return all(_leads_nowhere(member, path[1:]) for member in members)
    return _leads_nowhere(value, path[1:])


def _unique(header: tuple[str, ...]) -> tuple[str, ...]:
    """Column names that a reader can tell apart: a spreadsheet's nameless columns are called by their place."""
    seen: dict[str, int] = {}
    names = []
    for place, given in enumerate(header, start=1):
        name = given or f"column {place}"
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        names.append(name if seen[name.lower()] == 1 else f"{name}_{seen[name.lower()]}")
    return tuple(names)
