"""Exports as they go wrong: every sample mutated in every way that fits it, and what ingestion made of it.

`make mutations` tries them all and says how many were refused clearly, right, noted or in doubt; the suite tries a few
of each sample. A mutation knows what may come of it:

    same    the file says what it said, in another spelling: it is read alike, or refused
    wrong   the file says something that cannot be: it is refused, counted with a note, or read as if nothing were
    any     nobody could tell, such as a CSV cut at a line's end: only tracebacks, hangs and murky words are wrong
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from finops_lib import lake
from finops_lib.errors import FinopsError
from finops_lib.ingest import ingest
from finops_lib.lake import Home

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
SECONDS = 30
"""After which an ingestion of a few rows counts as hanging."""
Random = random.Random
Table = list[list[str]]

ISO = re.compile(r"^\d{4}-\d\d-\d\d")
CURRENCY = re.compile(r"^(USD|EUR|usd|eur)$")
NUMBER = re.compile(r"^-?\d+\.\d+$")
EPOCH = re.compile(r"^1[5-9]\d{8}$")
MONEY = re.compile("amount|cost|price|cents|spend|total", re.IGNORECASE)
WRONG_DATES = (
    "2062-09-02",
    "0001-01-01",
    "1899-12-30",
    "26-10-05",
    "infinity",
    "0000-00-00",
    "2026-13-45",
    "9999-12-31",
)
WRONG_AMOUNTS = ("NaN", "Infinity", "1e400", "99999999999999999999.99", "12,34", "$12.50", "1.234,56", "abc", "--1")
WRONG_CURRENCIES = ("XXX", "XXQ", "US", "US$", "DOLLAR", "ZZZ")


@dataclass(frozen=True)
class Mutation:
    """One way to spoil a file: its bytes changed; the name may tell another packing."""

    name: str
    may: str
    change: Callable[[bytes, Random], bytes]
    ending: str = ""


def _any_text() -> Iterator[Mutation]:
    def cut(b: bytes, r: Random) -> bytes:
        return b[: r.randrange(1, len(b))]

    def cut_line(b: bytes, r: Random) -> bytes:
        lines = b.splitlines(keepends=True)
        return b"".join(lines[: r.randrange(1, len(lines) + 1)])

    def flip(b: bytes, r: Random) -> bytes:
        at = r.randrange(len(b))
        return b[:at] + bytes([b[at] ^ (1 << r.randrange(8))]) + b[at + 1 :]

    def insert(what: bytes) -> Callable[[bytes, Random], bytes]:
        def change(b: bytes, r: Random) -> bytes:
            at = r.randrange(len(b))
            return b[:at] + what + b[at:]

        return change

    def spoilt_gzip(b: bytes, r: Random) -> bytes:
        packed = bytearray(gzip.compress(b, mtime=0))
        packed[r.randrange(10, len(packed))] ^= 1 << r.randrange(8)
        return bytes(packed)

    def zipped(b: bytes, r: Random) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.csv", b)
        return out.getvalue()

    yield Mutation("cut at a byte", "any", cut)
    yield Mutation("cut at a line", "any", cut_line)
    yield Mutation("a bit flipped", "any", flip)
    yield Mutation("a NUL", "any", insert(b"\0"))
    yield Mutation("a byte that is no UTF-8", "any", insert(b"\xff"))
    yield Mutation("a line break somewhere", "any", insert(b"\n"))
    yield Mutation("BOM", "same", lambda b, r: b"\xef\xbb\xbf" + b)
    yield Mutation("BOM twice", "same", lambda b, r: b"\xef\xbb\xbf\xef\xbb\xbf" + b)
    yield Mutation("blank lines first", "same", lambda b, r: b"\n \n" + b)
    yield Mutation("blank lines last", "same", lambda b, r: b + b"\n\n \n")
    yield Mutation("CRLF", "same", lambda b, r: b.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    yield Mutation("CR", "same", lambda b, r: b.replace(b"\r\n", b"\n").replace(b"\n", b"\r"))
    yield Mutation("gzip", "same", lambda b, r: gzip.compress(b), ".gz")
    yield Mutation("gzip twice", "same", lambda b, r: gzip.compress(gzip.compress(b)), ".gz")
    yield Mutation("gzip cut", "wrong", lambda b, r: cut(gzip.compress(b), r), ".gz")
    yield Mutation("gzip spoilt", "wrong", spoilt_gzip, ".gz")
    yield Mutation("gzip with more behind", "same", lambda b, r: gzip.compress(b) + b"garbage", ".gz")
    yield Mutation("zip", "same", zipped, ".zip")
    yield Mutation("zip cut", "wrong", lambda b, r: cut(zipped(b, r), r), ".zip")
    yield Mutation("zip spoilt", "any", lambda b, r: flip(zipped(b, r), r), ".zip")
    yield Mutation("UTF-16", "same", lambda b, r: b.decode().encode("utf-16"))
    yield Mutation("empty", "wrong", lambda b, r: b"")
    yield Mutation("blanks", "wrong", lambda b, r: b" \n" * 9)
    yield Mutation("a web page", "wrong", lambda b, r: b"<!DOCTYPE html>\n<html><body>Sign in, please</body></html>\n")
    yield Mutation("a whole copy behind", "wrong", lambda b, r: b + (b"" if b.endswith(b"\n") else b"\n") + b)
    yield Mutation("binary", "wrong", lambda b, r: r.randbytes(500))


def _csv(change: Callable[[Table, Random], Table | None], **spelling: Any) -> Callable[[bytes, Random], bytes]:
    def changed(b: bytes, r: Random) -> bytes:
        text = b.decode("utf-8-sig")
        delimiter = max(",;\t|", key=text.splitlines()[0].count)
        table = change(list(csv.reader(io.StringIO(text), delimiter=delimiter)), r)
        if table is None:
            return b
        out = io.StringIO()
        csv.writer(out, **{"delimiter": delimiter, "lineterminator": "\n", **spelling}).writerows(table)
        return out.getvalue().encode()

    return changed


def _cells(table: Table, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    # What is priced in may be no currency at all, such as credits.
    columns = [j for j, name in enumerate(table[0]) if "pricing" not in name.lower()]
    return [(i, j) for i, row in enumerate(table) if i for j in columns if j < len(row) and pattern.match(row[j])]


def _cell(pattern: re.Pattern[str], becomes: Callable[[str, Random], str]) -> Callable[[Table, Random], Table | None]:
    def change(table: Table, r: Random) -> Table | None:
        found = _cells(table, pattern)
        if not found:
            return None
        i, j = r.choice(found)
        table[i][j] = becomes(table[i][j], r)
        return table

    return change


def _column(change: Callable[[list[str], Random], list[str]]) -> Callable[[Table, Random], Table]:
    """A column again, changed, as the last one."""

    def appended(table: Table, r: Random) -> Table:
        j = r.randrange(len(table[0]))
        column = change([row[j] if j < len(row) else "" for row in table], r)
        return [[*row, value] for row, value in zip(table, column, strict=True)]

    return appended


def _of_csv() -> Iterator[Mutation]:
    def swap(table: Table, r: Random) -> Table:
        i, j = r.sample(range(len(table[0])), 2)
        for row in table:
            row[i], row[j] = row[j], row[i]
        return table

    def swap_names(table: Table, r: Random) -> Table:
        i, j = r.sample(range(len(table[0])), 2)
        table[0][i], table[0][j] = table[0][j], table[0][i]
        return table

    def drop(table: Table, r: Random) -> Table:
        j = r.randrange(len(table[0]))
        return [row[:j] + row[j + 1 :] for row in table]

    def swallow(b: bytes, r: Random) -> bytes:
        """A quote at the start of a field, and one at the end of the same field some rows later."""
        lines = b.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
        plain = [i for i, line in enumerate(lines) if i and line and '"' not in line]
        pairs = [(i, i + 1) for i in plain if i + 1 in plain]
        if not pairs:
            return b
        first, last = r.choice(pairs)
        d = max(",;\t|", key=lines[0].count)
        j = r.randrange(lines[first].count(d) + 1)
        fields, others = lines[first].split(d), lines[last].split(d)
        if j >= len(others):
            return b
        fields[j], others[j] = '"' + fields[j], others[j] + '"'
        lines[first], lines[last] = d.join(fields), d.join(others)
        return "\n".join(lines).encode()

    def lone_quote(b: bytes, r: Random) -> bytes:
        at = r.choice([i for i, c in enumerate(b) if c in b",;\n"][1:] or [0])
        return b[: at + 1] + b'"' + b[at + 1 :]

    def total(table: Table, r: Random) -> Table:
        return [*table, ["Total", *(v if NUMBER.match(v) else "" for v in table[-1][1:])]]

    def year(value: str, r: Random) -> str:
        return r.choice(WRONG_DATES) + value[10:]

    yield Mutation("rows twice", "wrong", _csv(lambda t, r: [*t, *t[1:]]))
    yield Mutation("a row twice", "wrong", _csv(lambda t, r: [*t, r.choice(t[1:])] if t[1:] else None))
    yield Mutation("header gone", "wrong", _csv(lambda t, r: t[1:]))
    yield Mutation("header twice", "wrong", _csv(lambda t, r: [t[0], *t]))
    yield Mutation("header again below", "wrong", _csv(lambda t, r: [*t, t[0], *t[1:]]))
    yield Mutation("a column twice, other values", "wrong", _csv(_column(lambda c, r: [c[0], *["7.5"] * len(c[1:])])))
    yield Mutation("a column twice, equal", "same", _csv(_column(lambda c, r: c)))
    yield Mutation("a column more", "same", _csv(_column(lambda c, r: ["Remarks", *c[1:]])))
    yield Mutation("a column gone", "any", _csv(drop))
    yield Mutation("columns moved", "same", _csv(swap))
    yield Mutation("names of columns swapped", "any", _csv(swap_names))
    yield Mutation("trailing delimiter", "same", _csv(lambda t, r: [[*row, ""] for row in t]))
    yield Mutation("trailing delimiters", "same", _csv(lambda t, r: [[*row, "", "", ""] for row in t]))
    yield Mutation("trailing delimiter below", "same", _csv(lambda t, r: [t[0], *([*row, ""] for row in t[1:])]))
    yield Mutation("blank row of a spreadsheet", "same", _csv(lambda t, r: [*t, [""] * len(t[0])]))
    yield Mutation(
        "first column nameless", "same", _csv(lambda t, r: [["", *t[0]], *([str(i), *w] for i, w in enumerate(t[1:]))])
    )
    yield Mutation("semicolons", "same", _csv(lambda t, r: t, delimiter=";"))
    yield Mutation("tabs", "same", _csv(lambda t, r: t, delimiter="\t"))
    yield Mutation("all quoted", "same", _csv(lambda t, r: t, quoting=csv.QUOTE_ALL))
    yield Mutation("capital header", "any", _csv(lambda t, r: [[h.upper() for h in t[0]], *t[1:]]))
    yield Mutation("blanks around names", "any", _csv(lambda t, r: [[f" {h} " for h in t[0]], *t[1:]]))
    yield Mutation(
        "blanks around values", "any", _csv(lambda t, r: [t[0], *([f" {v} " for v in row] for row in t[1:])])
    )
    yield Mutation("a title above", "any", lambda b, r: b"Cost report of October\n\n" + b)
    yield Mutation("sep= above", "any", lambda b, r: b"sep=,\n" + b)
    yield Mutation("a sum below", "wrong", _csv(total))
    yield Mutation("rows swallowed by quotes", "wrong", swallow)
    yield Mutation("a lone quote", "any", lone_quote)
    yield Mutation("a row short", "any", _csv(lambda t, r: [*t[:-1], t[-1][:-2]]))
    yield Mutation("a row long", "any", _csv(lambda t, r: [*t[:-1], [*t[-1], "x", "y"]]))
    yield Mutation("a row empty", "any", _csv(lambda t, r: [*t, [""] * len(t[0])]))
    yield Mutation("a date", "wrong", _csv(_cell(ISO, year)))
    yield Mutation("an amount", "wrong", _csv(_cell(NUMBER, lambda v, r: r.choice(WRONG_AMOUNTS))))
    yield Mutation("an amount gone", "any", _csv(_cell(NUMBER, lambda v, r: "")))
    yield Mutation("a currency", "wrong", _csv(_cell(CURRENCY, lambda v, r: r.choice(WRONG_CURRENCIES))))
    yield Mutation("a currency gone", "wrong", _csv(_cell(CURRENCY, lambda v, r: "")))


def _json(change: Callable[[Any, Random], Any], **spelling: Any) -> Callable[[bytes, Random], bytes]:
    def changed(b: bytes, r: Random) -> bytes:
        text = b.decode("utf-8-sig")
        try:
            return json.dumps(change(json.loads(text), r), **spelling).encode()
        except ValueError:
            lines = [json.loads(line) for line in text.splitlines() if line.strip()]
            at = r.randrange(len(lines))
            lines[at] = change(lines[at], r)
            return "\n".join(json.dumps(line) for line in lines).encode()

    return changed


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(inner, (*path, key))


def _put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


def _one(fits: Callable[[Any], bool], becomes: Callable[[Any, Random], Any]) -> Callable[[Any, Random], Any]:
    def change(document: Any, r: Random) -> Any:
        found = [(p, v) for p, v in _places(document) if fits(v)]
        if not found:
            return document
        path, value = r.choice(found)
        return _put(document, path, becomes(value, r))

    return change


def _of_json() -> Iterator[Mutation]:
    def text(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
        return lambda v: isinstance(v, str) and bool(pattern.match(v))

    def amount(change: Callable[[Any, Random], Any]) -> Callable[[Any, Random], Any]:
        def changed(document: Any, r: Random) -> Any:
            found = [p for p, v in _places(document) if isinstance(v, float) and MONEY.search(" ".join(map(str, p)))]
            return _put(document, r.choice(found), change(0, r)) if found else document

        return changed

    def instant(v: Any) -> bool:
        return isinstance(v, int) and bool(EPOCH.match(str(v)))

    def scalar(v: Any) -> bool:
        return not isinstance(v, dict | list)

    def records(v: Any) -> bool:
        return isinstance(v, list) and bool(v) and isinstance(v[0], dict)

    def again(change: Callable[[Any, Random], Any]) -> Callable[[Any, Random], Any]:
        def changed(document: Any, r: Random) -> Any:
            # What a record lists of itself, such as its credits, may hold two alike.
            own = ("credits", "labels", "system_labels", "tags", "line_items", "lineItems", "attributes", "params")
            found = [(p, v) for p, v in _places(document) if records(v) and not (p and p[-1] in own)]
            path, value = r.choice(found) if found else ((), document)
            return _put(document, path, change(value, r)) if found else document

        return changed

    def gone(document: Any, r: Random) -> Any:
        found = [p for p, _ in _places(document) if p and isinstance(p[-1], str)]
        if found:
            *around, last = r.choice(found)
            inner = document
            for key in around:
                inner = inner[key]
            del inner[last]
        return document

    def more(document: Any, r: Random) -> Any:
        return (
            {**document, "has_more": True, "next_page": "p2"}
            if isinstance(document, dict) and "data" in document
            else document
        )

    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}

    yield Mutation("records twice", "wrong", _json(again(lambda v, r: [*v, *v])))
    yield Mutation("a record twice", "wrong", _json(again(lambda v, r: [*v, r.choice(v)])))
    yield Mutation("a page without the next", "wrong", _json(more))
    yield Mutation("pretty", "same", _json(lambda d, r: d, indent=2))
    yield Mutation("compact", "same", _json(lambda d, r: d, separators=(",", ":")))
    yield Mutation("keys in another order", "same", _json(lambda d, r: d, sort_keys=True))
    yield Mutation("a key gone", "any", _json(gone))
    yield Mutation("a value null", "any", _json(_one(scalar, lambda v, r: None)))
    yield Mutation("a value a list", "any", _json(_one(scalar, lambda v, r: [v])))
    yield Mutation("a value an object", "any", _json(_one(scalar, lambda v, r: {"a": v})))
    yield Mutation("a list an object", "any", _json(_one(lambda v: isinstance(v, list), lambda v, r: {"a": v})))
    yield Mutation("a list empty", "any", _json(_one(lambda v: isinstance(v, list), lambda v, r: [])))
    yield Mutation("an object text", "any", _json(_one(lambda v: isinstance(v, dict), lambda v, r: "text")))
    yield Mutation("a value deep", "any", _json(_one(scalar, lambda v, r: deep)))
    yield Mutation("nested 5,000 deep", "wrong", lambda b, r: b"[" * 5000 + b"]" * 5000)
    yield Mutation("objects nested 5,000 deep", "wrong", lambda b, r: b'{"a":' * 5000 + b"1" + b"}" * 5000)
    yield Mutation("an amount", "wrong", _json(amount(lambda v, r: r.choice(WRONG_AMOUNTS))))
    yield Mutation("an amount too large", "wrong", _json(amount(lambda v, r: 10**20)))
    yield Mutation("a currency", "wrong", _json(_one(text(CURRENCY), lambda v, r: r.choice(WRONG_CURRENCIES))))
    yield Mutation("a date", "wrong", _json(_one(text(ISO), lambda v, r: r.choice(WRONG_DATES) + v[10:])))
    yield Mutation("an instant", "wrong", _json(_one(instant, lambda v, r: r.choice((-v, 7, v * 1000, 2 * v)))))
    yield Mutation("a comma more", "any", lambda b, r: b.replace(b"}", b",}", 1))
    yield Mutation("a quote gone", "any", lambda b, r: b.replace(b'"', b"", 1))


def _parquet(change: Callable[[pa.Table, Random], pa.Table]) -> Callable[[bytes, Random], bytes]:
    def changed(b: bytes, r: Random) -> bytes:
        out = io.BytesIO()
        pq.write_table(change(pq.read_table(io.BytesIO(b)), r), out)
        return out.getvalue()

    return changed


def _of_parquet() -> Iterator[Mutation]:
    def flip(b: bytes, r: Random) -> bytes:
        at = r.randrange(4, len(b))
        return b[:at] + bytes([b[at] ^ (1 << r.randrange(8))]) + b[at + 1 :]

    def drop(t: pa.Table, r: Random) -> pa.Table:
        return t.remove_column(r.randrange(t.num_columns))

    def text(t: pa.Table, r: Random) -> pa.Table:
        flat = [i for i, f in enumerate(t.schema) if not pa.types.is_nested(f.type)]
        i = r.choice(flat)
        return t.set_column(i, t.schema[i].name, t.column(i).cast(pa.string()))

    def nothing(t: pa.Table, r: Random) -> pa.Table:
        i = r.randrange(t.num_columns)
        return t.set_column(i, t.schema[i].name, pa.nulls(t.num_rows, t.schema[i].type))

    yield Mutation("cut at a byte", "wrong", lambda b, r: b[: r.randrange(1, len(b))])
    yield Mutation("a bit flipped", "any", flip)
    yield Mutation("rows twice", "wrong", _parquet(lambda t, r: pa.concat_tables([t, t])))
    yield Mutation("a column gone", "any", _parquet(drop))
    yield Mutation("a column as text", "same", _parquet(text))
    yield Mutation("a column empty", "any", _parquet(nothing))
    yield Mutation("no rows", "any", _parquet(lambda t, r: t.slice(0, 0)))
    yield Mutation("columns moved", "same", _parquet(lambda t, r: t.select(t.column_names[::-1])))
    yield Mutation("gzip around", "same", lambda b, r: gzip.compress(b))
    yield Mutation("only the magic", "wrong", lambda b, r: b"PAR1" + b[-8:])


def samples() -> list[Path]:
    return [
        f
        for f in sorted(SAMPLES.glob("*/*"))
        if f.name != "expected.csv" and f.parent.name != "plan" and f.suffix not in (".gz", ".md")
    ]


def mutations(file: Path) -> list[Mutation]:
    """Every mutation that fits a sample."""
    if file.suffix == ".parquet":
        return list(_of_parquet())
    start = file.read_bytes().lstrip()[:1]
    own = _of_json() if start in b"{[" else _of_csv() if file.suffix == ".csv" else ()
    return [*_any_text(), *own]


@dataclass(frozen=True)
class Result:
    """What became of a mutated export."""

    sample: str
    mutation: str
    verdict: str
    """refused, right, noted, empty, untold; or what must not be: doubt, unclear, traceback, hang."""
    said: str
    seconds: float


WRONG = ("doubt", "unclear", "traceback", "hang")
MURKY = re.compile(
    r"/tmp|_staging|\.parquet'|\b[A-Z]\w+ Error:|INTERNAL|nanobind|Traceback|NoneType|Errno|zlib|codec can't|Exception|"
    r"read_csv|read_parquet|read_json|json_extract|TRY_CAST|strict_mode|null_padding|r0|DECIMAL\(|Candidate"
)
"""What no user can make anything of: paths of a work folder and a library's own words."""


def _stop(*_: object) -> NoReturn:
    raise TimeoutError


def _state(home: Home) -> str:
    """A digest of all rows that the lake holds, whatever file and row they came from."""
    found = hashlib.sha256()
    for partition in sorted(lake.current(home)):
        table = pq.ParquetFile(home.lake / partition.file).read()
        kept = [
            c
            for c in table.column_names
            if c.lower() not in ("x_sourcefile", "x_source_file", "x_sourcerow", "x_source_row")
        ]
        rows = sorted(repr(sorted(row.items())) for row in table.select(kept).to_pylist())
        found.update(repr((partition, rows)).encode())
    return found.hexdigest()


def _ingested(file: Path, content: bytes, name: str, folder: Path) -> tuple[str, list[tuple[str, str]], set[str]]:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "in").mkdir(parents=True)
    (folder / "in" / name).write_bytes(content)
    home = Home(folder / "home")
    done = ingest(home, [folder / "in"], data_docs=False)
    notes = {note for d in lake.deliveries(home) for note in d.notes}
    return _state(home), [(o.status, o.message) for o in done.outcomes], notes


def tried(file: Path, mutation: Mutation, seed: int, known: dict[Path, tuple[str, set[str]]], folder: Path) -> Result:
    """Ingest a mutated sample into an empty home and judge what came of it."""
    name = file.name + mutation.ending
    content = mutation.change(
        file.read_bytes(), random.Random(f"{file} {mutation.name} {seed}".replace(str(SAMPLES), ""))
    )
    began = time.monotonic()
    previous = signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        state, outcomes, notes = _ingested(file, content, name, folder)
    except TimeoutError:
        verdict, said = "hang", ""
    except FinopsError as error:
        verdict, said = "unclear", f"raised {error}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        verdict, said = "traceback", f"{type(error).__name__}: {error}"
    else:
        said = " | ".join(f"{status}: {message}" for status, message in outcomes)
        if file not in known and not any(status == "refused" for status, _ in outcomes):
            before, _, noted = _ingested(file, file.read_bytes(), file.name, folder)
            known[file] = before, noted
        verdict = _judged(mutation.may, state, outcomes, notes, known.get(file, ("", set())), said)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    return Result(f"{file.parent.name}/{file.name}", mutation.name, verdict, said, time.monotonic() - began)


def _judged(
    may: str, state: str, outcomes: list[tuple[str, str]], notes: set[str], before: tuple[str, set[str]], said: str
) -> str:
    if MURKY.search(said):
        return "unclear"
    if any(status == "refused" for status, _ in outcomes):
        return "refused"
    if state == before[0]:
        return "right"
    if all(status in ("empty", "held") for status, _ in outcomes):
        # Of what waits for a companion nothing is published; its charges are judged when they are made.
        return "empty"
    if notes - before[1] or "equal to another" in said or any(status == "note" for status, _ in outcomes):
        return "noted"
    return "untold" if may == "any" else "doubt"


def main(count: int, seed: int = 1) -> int:
    """Try `count` mutations and say what came of them; 1 where something came that must not."""
    # Every mutation of every sample is tried once before any is tried twice with another seed.
    every = [(file, mutation) for file in samples() for mutation in mutations(file)]
    random.Random(seed).shuffle(every)
    known: dict[Path, tuple[str, set[str]]] = {}
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="finops-mutations-") as name:
        for i in range(count):
            file, mutation = every[i % len(every)]
            try:
                result = tried(file, mutation, seed + i // len(every), known, Path(name))
            except KeyboardInterrupt:
                break
            counts[result.verdict] += 1
            if result.verdict in WRONG:
                print(f"{result.verdict}: {result.sample}: {result.mutation}: {result.said[:400]}", flush=True)
    print(", ".join(f"{counts[v]} {v}" for v in ("refused", "right", "noted", "empty", "untold", *WRONG)))
    return 1 if any(counts[v] for v in WRONG) else 0


if __name__ == "__main__":
    sys.exit(main(*(int(a) for a in sys.argv[1:] or ["3000"])))
